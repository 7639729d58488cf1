//! Does who is taken off a roster elsewhere hear of it, and lose the place here as there?

use super::*;
use crate::tests::study::Study;

#[tokio::test]
async fn checklist_42_a_removal_goes_out_and_is_taken_from_the_course_alone() {
    let school = school(5, "open");
    let dov = school.world.person_elsewhere("dov", "south.test");
    school.enroll(&dov).unwrap();
    let (by, id) = (school.ada.clone(), school.place(&dov).id);
    school.world.tx(move |tx| remove(tx, &by, id));
    let [out] = school.sent("Remove").try_into().unwrap();
    assert_eq!((&out["actor"], &out["object"]), (&json!(school.group.uri), &json!(dov.uri)));
    assert_eq!((&out["to"], &out["target"]), (&json!([dov.uri]), &json!(format!("{}/members", school.group.uri))));

    // The same, as it comes to the server of somebody who learns in a course of north.test.
    let study = Study::mirrored();
    let place = || study.world.read(|db| find(db, study.cohort.id, study.bo.id)).unwrap().state;
    let mut arrives = out.clone();
    for (key, value) in [
        ("id", "https://north.test/a/1".to_owned()),
        ("actor", study.group.uri.clone()),
        ("object", study.bo.uri.clone()),
        ("target", format!("{}/members", study.group.uri)),
    ] {
        arrives[key] = json!(value);
    }
    let context = study.context().await;
    let stranger = study.world.person_elsewhere("eve", "north.test");
    let forged = crate::dispatch::dispatch(&context, &study.got(&stranger, arrives.clone())).await;
    assert!(matches!(forged, Err(Error::Denied(_))), "{forged:?}");
    assert_eq!(place(), EnrollmentState::Active);
    crate::dispatch::dispatch(&context, &study.got(&study.group, arrives)).await.unwrap();
    assert_eq!(place(), EnrollmentState::Removed);
    assert!(!study.notices(&study.bo).is_empty(), "they are told");
}
