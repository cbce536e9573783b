//! A whole scene: the line as a process, and its neighbours. When it closes, the line's output is searched for
//! everything personal or secret that was used.

use std::ops::Deref;

use super::line::Line;
use super::neighbours::Neighbours;
use super::setup::Setup;

/// The scene. What happens around the line is its neighbours' business.
pub struct Stage {
    /// The process under test.
    pub line: Line,
    neighbours: Neighbours,
}

impl Stage {
    /// A scene as documented, but that the assistant answers at once.
    pub async fn open() -> Self {
        Self::with(|_| {}).await
    }

    /// A scene with changes.
    pub async fn with(change: impl FnOnce(&mut Setup)) -> Self {
        let mut setup = Setup::default();
        change(&mut setup);
        let mut neighbours = Neighbours::start(&setup).await;
        let graph_url = setup.graph_url.clone().unwrap_or_else(|| neighbours.graph.url.clone());
        let toml = setup.toml(&neighbours.model, &neighbours.creatio);
        let line = Line::start(&toml, &graph_url, setup.log).await;
        neighbours.url.clone_from(&line.url);
        Self { line, neighbours }
    }

    /// Asserts that nothing personal or secret is in what the line wrote so far.
    pub fn assert_nothing_leaked(&self) {
        self.assert_nothing_leaked_into(&self.line.said());
    }
}

impl Deref for Stage {
    type Target = Neighbours;

    fn deref(&self) -> &Neighbours {
        &self.neighbours
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.line.kill();
        if !std::thread::panicking() {
            self.assert_nothing_leaked();
        }
    }
}
