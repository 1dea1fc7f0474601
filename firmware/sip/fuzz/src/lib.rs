//! What the fuzz targets share: the readers' promises, the scene and the seeds of `firmware/sip/tests/bad_input`.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, missing_docs, reason = "it shares its files with tests")]

#[path = "../../tests/bad_input/corpus.rs"]
pub mod corpus;
#[path = "../../../../tests/readers/src/kept.rs"]
pub mod kept;
#[path = "../../tests/bad_input/mutate.rs"]
pub mod mutate;
#[path = "../../tests/bad_input/readers.rs"]
pub mod readers;
#[path = "../../tests/bad_input/scene.rs"]
pub mod scene;
#[path = "../../tests/agent/script.rs"]
pub mod script;
