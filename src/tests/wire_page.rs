//! Is what FEDERATION.md shows what the program sends?

#[test]
fn every_block_of_the_federation_page_is_its_snapshot() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("FEDERATION.md")).unwrap();
    let blocks: Vec<_> = page.split("<!-- src/").skip(1).collect();
    assert!(blocks.len() >= 9, "{} blocks", blocks.len());
    for block in blocks {
        let (path, rest) = block.split_once(" -->\n```json\n").unwrap();
        let shown = rest.split_once("\n```\n").unwrap().0;
        let snapshot = std::fs::read_to_string(root.join("src").join(path)).unwrap();
        let sent = snapshot.splitn(3, "---\n").nth(2).unwrap().trim_end();
        assert_eq!(shown, sent, "copy src/{path} into FEDERATION.md");
    }
}
