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
fn what_is_beside_a_server_does_not_migrate_its_database() {
    let world = World::new();
    assert_eq!(migrate::behind(&world.address).unwrap(), 0);
    let mut db = world.address.open(true).unwrap();
    db.batch_execute("DELETE FROM __diesel_schema_migrations").unwrap();
    assert_eq!(migrate::behind(&world.address).unwrap(), 1);
    let folder = tempfile::tempdir().unwrap();
    let new = Address::Sqlite(folder.path().join("new.db"));
    assert_eq!(migrate::behind(&new).unwrap(), 0, "what is new lacks nothing");
    new.open(true).unwrap();
    assert_eq!(migrate::behind(&new).unwrap(), 0);
}

/// leftovers of another database, or of a restore that broke off, are never played into the one that is restored.
#[test]
fn r_23_a_restore_can_be_repeated_and_takes_nothing_over_from_what_lay_there() {
    let world = World::new();
    let Address::Sqlite(_) = &world.address else { return };
    let folder = tempfile::tempdir().unwrap();
    let (backup, path) = (folder.path().join("backup"), folder.path().join("new.db"));
    let (content, _) = copy::write(&world.address, &backup).unwrap();
    let new = Address::Sqlite(path.clone());
    for left in ["new.db-wal", "new.db-shm", "new.db-journal"] {
        let left = folder.path().join(left);
        std::fs::write(&left, "of another").unwrap();
        let refused = copy::must_be_empty(&new).unwrap_err().to_string();
        assert!(refused.contains(left.to_str().unwrap()) && refused.lines().count() == 1, "{refused}");
        std::fs::remove_file(left).unwrap();
    }
    for left in ["new.restoring", "new.restoring-journal", "new.restoring-wal"] {
        std::fs::write(folder.path().join(left), "broken off").unwrap();
    }
    copy::must_be_empty(&new).unwrap();
    assert_eq!(copy::restore(&backup, &new, crate::setting::PAUSING).unwrap(), content);
    let mut db = new.open(false).unwrap();
    assert!(crate::setting::are_deliveries_paused(&mut db).unwrap(), "R-23: paused before it has its name");
    assert!(copy::must_be_empty(&new).unwrap_err().to_string().contains("already"));
    let left = std::fs::read_dir(folder.path()).unwrap().flatten();
    assert!(left.into_iter().all(|entry| !entry.file_name().to_string_lossy().contains("restoring")));
}

#[test]
fn the_address_is_chosen_by_scheme_alone() {
    assert_eq!(Address::parse("sqlite:data/x.db").unwrap(), Address::Sqlite("data/x.db".into()));
    assert!(matches!(Address::parse("postgres://h/d").unwrap(), Address::Postgres(_)));
    assert!(Address::parse("host=localhost dbname=x").is_err());
}
