//! Which files are there, and which of their lines ship?

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// One file of Rust.
pub struct Source {
    /// From the root of the repository, with `/`.
    pub path: String,
    /// All of it.
    pub text: String,
}

/// Where the repository is.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of Rust in `src/` and `federation-tests/`.
pub fn all() -> &'static [Source] {
    static ALL: LazyLock<Vec<Source>> = LazyLock::new(|| {
        let mut found = Vec::new();
        for folder in ["src", "federation-tests"] {
            gather(&root().join(folder), &mut found);
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        assert!(found.len() > 30, "the sources are not found");
        found
    });
    &ALL
}

fn gather(folder: &Path, found: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("node_modules") && !path.ends_with("target") {
            gather(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
            found.push(Source { path: name, text: std::fs::read_to_string(&path).unwrap() });
        }
    }
}

impl Source {
    /// Lines with their numbers, without comments and without the tests at the end.
    pub fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines: Vec<&str> = self.text.lines().collect();
        let test = |at: usize| {
            lines[at].trim() == "#[cfg(test)]"
                && lines.get(at + 1).is_some_and(|l| l.starts_with("mod ") && l.ends_with('{'))
        };
        let end = (0..lines.len()).find(|at| test(*at)).unwrap_or(lines.len());
        let mut shipped: Vec<(usize, &str)> = lines.into_iter().take(end).enumerate().collect();
        shipped.retain(|(_, line)| !line.trim_start().starts_with("//"));
        shipped.into_iter().map(|(at, line)| (at + 1, line.split(" // ").next().unwrap_or_default()))
    }

    /// `src/review/store.rs` is of the module `review`; `src/review.rs` too. Files outside `src/` are of none.
    pub fn module(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        inside.split('/').next().map(|first| first.trim_end_matches(".rs"))
    }

    /// The last step of its path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Whether it is compiled for tests only.
    pub fn is_test(&self) -> bool {
        let inside = |folder: &str| self.path.contains(&format!("/{folder}/"));
        self.module().is_none() || matches!(self.name(), "tests.rs" | "town.rs") || inside("tests")
    }
}
