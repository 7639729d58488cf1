//! What can this machine do at all, at this moment? The limits that figures are held against.

use diesel::RunQueryDsl;
use hedgeschool::crypto::{Keypair, SigningKey, VerifyingKey};
use hedgeschool::db::Pool;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long each limit is measured.
const SPAN: Duration = Duration::from_millis(500);

fn a_second(mut work: impl FnMut()) -> f64 {
    let begin = Instant::now();
    let mut times = 0;
    while begin.elapsed() < SPAN {
        work();
        times += 1;
    }
    f64::from(times) / begin.elapsed().as_secs_f64()
}

/// RSA-2048 signatures a second on one core.
pub fn signatures(keys: &Keypair) -> f64 {
    let key = SigningKey::from_pem(&keys.private_pem).unwrap();
    a_second(|| drop(black_box(key.sign_rsa_sha256(b"(request-target): post /inbox"))))
}

/// RSA-2048 verifications a second on one core.
pub fn verifications(keys: &Keypair) -> f64 {
    let message = b"(request-target): post /inbox";
    let signature = SigningKey::from_pem(&keys.private_pem).unwrap().sign_rsa_sha256(message);
    let key = VerifyingKey::from_pem(&keys.public_pem).unwrap();
    a_second(|| assert!(key.verify_rsa_sha256(message, black_box(&signature))))
}

/// Transactions of one small row a second, by so many at the same time of whom each waits, through the program's own writer.
pub async fn small_writes(pool: &Pool, callers: usize) -> f64 {
    let create = "CREATE TABLE IF NOT EXISTS bench_rows (text TEXT NOT NULL)";
    pool.write(move |tx| Ok(diesel::sql_query(create).execute(&mut **tx)?)).await.unwrap();
    let (done, begin) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let one = |pool: Pool, done: Arc<AtomicUsize>| async move {
        while begin.elapsed() < SPAN {
            let insert = "INSERT INTO bench_rows (text) VALUES ('a row of some forty letters or a few more')";
            pool.write(move |tx| Ok(diesel::sql_query(insert).execute(&mut **tx)?)).await.unwrap();
            done.fetch_add(1, Ordering::Relaxed);
        }
    };
    let all: Vec<_> = (0..callers).map(|_| tokio::spawn(one(pool.clone(), done.clone()))).collect();
    for each in all {
        each.await.unwrap();
    }
    let rate = done.load(Ordering::Relaxed) as f64 / begin.elapsed().as_secs_f64();
    pool.write(|tx| Ok(diesel::sql_query("DROP TABLE bench_rows").execute(&mut **tx)?)).await.unwrap();
    rate
}
