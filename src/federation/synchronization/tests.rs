//! Are digest and header what FEP-8fcf says?

use super::{Said, digest};

#[test]
fn the_digest_is_that_of_the_proposal() {
    let two = ["https://testing.example.org/users/1", "https://testing.example.org/users/2"];
    let sum = "c33f48cd341ef046a206b8a72ec97af65079f9a3a9b90eef79c5920dce45c61f";
    assert_eq!(digest(two), sum);
    assert_eq!(digest([two[1], two[0]]), sum, "in any order");
    assert_eq!(digest([]), "0".repeat(64));
    assert_ne!(digest([two[0]]), sum);
}

#[test]
fn the_header_is_read_as_it_is_written_and_not_otherwise() {
    let said = Said {
        collection: "https://us.test/c/rust/followers".into(),
        url: "https://us.test/c/rust/followers/synchronization".into(),
        digest: digest(["https://good.test/u/dov"]),
    };
    assert_eq!(Said::read(&said.header()), Some(said.clone()));
    let header = said.header();
    for wrong in [
        String::new(),
        "nonsense".into(),
        header.replace("collectionId", "collection"),
        header.replace("url=", "href="),
        header.replace("digest=\"", "digest=\"0"),
        header.replace("digest=\"", "digest=\"x"),
        format!("{header}, {header}"),
        header.replace("/synchronization", &"/x".repeat(2000)),
    ] {
        assert_eq!(Said::read(&wrong), None, "{wrong}");
    }
}
