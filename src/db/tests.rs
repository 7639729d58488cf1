//! Does the database keep its promises on both engines?

use super::schema::settings;
use super::*;
use crate::db::Run;
use crate::tests::World;
use diesel::{ExpressionMethods, QueryDsl};

fn put(tx: &mut Tx<'_>, key: &str) -> Result<()> {
    diesel::insert_into(settings::table).values((settings::key.eq(key), settings::value.eq("x"))).execute(tx)?;
    Ok(())
}

fn count(world: &World) -> i64 {
    world.pool.read_blocking(|db| Ok(settings::table.count().get_result(db)?)).unwrap()
}

#[test]
fn a_failed_job_leaves_nothing_and_harms_no_other() {
    let world = World::new();
    let before = count(&world);
    world.pool.write_blocking(|tx| put(tx, "one")).unwrap();
    let failed: Result<()> = world.pool.write_blocking(|tx| {
        put(tx, "two")?;
        Err(Error::NotFound)
    });
    assert!(matches!(failed, Err(Error::NotFound)));
    let panicked: Result<()> = world.pool.write_blocking(|tx| {
        put(tx, "three")?;
        panic!("on purpose")
    });
    assert!(matches!(panicked, Err(Error::Internal(_))));
    world.pool.write_blocking(|tx| put(tx, "four")).unwrap();
    assert_eq!(count(&world), before + 2);
    let twice = world.pool.write_blocking(|tx| put(tx, "one"));
    assert!(matches!(twice, Err(Error::Conflict(_))), "{twice:?}");
}

#[test]
fn migrating_again_does_nothing_and_a_newer_schema_is_refused() {
    let world = World::new();
    assert_eq!(migrate::run(&world.address).unwrap(), 0);
    let mut db = world.address.open(true).unwrap();
    db.batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')").unwrap();
    let refused = migrate::run(&world.address).unwrap_err();
    assert!(refused.to_string().contains("newer hedgeschool"), "{refused}");
}

#[test]
fn the_address_is_chosen_by_scheme_alone() {
    assert_eq!(Address::parse("sqlite:data/x.db").unwrap(), Address::Sqlite("data/x.db".into()));
    assert!(matches!(Address::parse("postgres://h/d").unwrap(), Address::Postgres(_)));
    assert!(Address::parse("host=localhost dbname=x").is_err());
}
