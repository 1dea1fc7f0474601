//! The invented company the demo plays in: its people, customers, suppliers and the desk's settings.
//!
//! All of it is made from a fixed seed, so that pictures and tests see the same names every time. Telephone numbers are
//! from ranges that regulators keep free for fiction, with the few exceptions of the design pictures. Not done here:
//! calls ([`crate::script`]).

mod names;
mod people;
mod phones;
mod settings;

pub use people::{Directory, EXTENSIONS, FIRST_EXTENSION, Person, people, write_csv};
pub use settings::{DEMO_PASSWORD, DEMO_USER, DIRECTORIES, LINES, Line, settings_toml};
