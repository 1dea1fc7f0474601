//! Pointer and keys as the page and the tests send them, and as Slint takes them.
//!
//! The only production file that names `i_slint_core`: touch has no public event in Slint 1.18.

use serde::Deserialize;
use slint::platform::{InternalEvent, PointerEventButton, WindowEvent};
use slint::{LogicalPosition, SharedString};

/// Longest text of one key.
const KEY_LENGTH: usize = 32;
/// Positions beyond any screen are refused.
const FARTHEST: f32 = 16_384.0;

/// One thing a hand does.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Input {
    /// A mouse or a finger.
    Pointer(Pointer),
    /// The wheel.
    Wheel {
        /// Where, in logical pixels.
        x: f32,
        /// Where, in logical pixels.
        y: f32,
        /// How far, in logical pixels; positive scrolls towards the beginning.
        dx: f32,
        /// How far, in logical pixels; positive scrolls towards the beginning.
        dy: f32,
    },
    /// A key, pressed and released unless `down` says which.
    Key {
        /// A name as browsers give it ("Enter", "F6", "Insert", "Clear"), or the letter itself.
        key: String,
        /// `true` pressed, `false` released, absent both.
        #[serde(default)]
        down: Option<bool>,
        /// It is held down, and repeats.
        #[serde(default)]
        again: bool,
    },
}

/// A mouse or a finger at a place.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Pointer {
    /// Logical pixels from the left.
    pub x: f32,
    /// Logical pixels from the top.
    pub y: f32,
    /// What it does there.
    pub kind: PointerKind,
    /// "left" (the default), "right" or "middle"; of a mouse only.
    #[serde(default)]
    pub button: Button,
    /// A finger: it can flick a list, which a mouse cannot.
    #[serde(default)]
    pub touch: bool,
}

/// What a pointer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PointerKind {
    /// Goes down.
    Down,
    /// Moves, down or not.
    Move,
    /// Comes up.
    Up,
}

/// A mouse button.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Button {
    /// The first.
    #[default]
    Left,
    /// The second: opens menus.
    Right,
    /// The wheel pressed.
    Middle,
}

/// Why an input means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadInput {
    /// A position is not a number or far outside.
    #[error("position outside of the screen")]
    Position,
    /// A key has no such name.
    #[error("no key is called {0:?}")]
    Key(String),
}

impl Input {
    /// The events to dispatch, in order.
    ///
    /// # Errors
    /// [`BadInput`] when it means nothing.
    pub fn events(&self) -> Result<Vec<WindowEvent>, BadInput> {
        match self {
            Self::Pointer(pointer) => pointer.events(),
            Self::Wheel { x, y, dx, dy } => {
                let position = position(*x, *y)?;
                let (delta_x, delta_y) = (finite(*dx)?, finite(*dy)?);
                Ok(vec![WindowEvent::PointerScrolled { position, delta_x, delta_y }])
            }
            Self::Key { key, down, again } => {
                let text = key_text(key)?;
                let mut events = Vec::new();
                if *down != Some(false) {
                    let text = text.clone();
                    events.push(if *again {
                        WindowEvent::KeyPressRepeated { text }
                    } else {
                        WindowEvent::KeyPressed { text }
                    });
                }
                if *down != Some(true) {
                    events.push(WindowEvent::KeyReleased { text });
                }
                Ok(events)
            }
        }
    }
}

impl Pointer {
    fn events(&self) -> Result<Vec<WindowEvent>, BadInput> {
        let position = position(self.x, self.y)?;
        if self.touch {
            return Ok(vec![self.finger(position)]);
        }
        let button = match self.button {
            Button::Left => PointerEventButton::Left,
            Button::Right => PointerEventButton::Right,
            Button::Middle => PointerEventButton::Middle,
        };
        let moved = WindowEvent::PointerMoved { position };
        Ok(match self.kind {
            // A real mouse is always somewhere before it is pressed.
            PointerKind::Down => vec![moved, WindowEvent::PointerPressed { position, button }],
            PointerKind::Move => vec![moved],
            PointerKind::Up => vec![WindowEvent::PointerReleased { position, button }],
        })
    }

    fn finger(&self, position: LogicalPosition) -> WindowEvent {
        let phase = match self.kind {
            PointerKind::Down => i_slint_core::input::TouchPhase::Started,
            PointerKind::Move => i_slint_core::input::TouchPhase::Moved,
            PointerKind::Up => i_slint_core::input::TouchPhase::Ended,
        };
        let position = i_slint_core::lengths::logical_point_from_api(position);
        WindowEvent::internal(InternalEvent::Touch { id: 0, position, phase })
    }
}

fn position(x: f32, y: f32) -> Result<LogicalPosition, BadInput> {
    Ok(LogicalPosition::new(finite(x)?, finite(y)?))
}

fn finite(value: f32) -> Result<f32, BadInput> {
    if value.is_finite() && value.abs() <= FARTHEST { Ok(value) } else { Err(BadInput::Position) }
}

/// The text that Slint gives a key.
fn key_text(name: &str) -> Result<SharedString, BadInput> {
    let bad = || BadInput::Key(name.chars().take(KEY_LENGTH).collect());
    if name.len() > KEY_LENGTH {
        return Err(bad());
    }
    crate::keys::key_char(name).map(SharedString::from).ok_or_else(bad)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use slint::platform::Key;

    use super::*;

    fn read(json: &str) -> Input {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_press_moves_first() {
        let events = read(r#"{"pointer":{"x":10,"y":20,"kind":"down"}}"#).events().unwrap();
        assert_eq!(events.len(), 2);
        assert!(matches!(events[1], WindowEvent::PointerPressed { button: PointerEventButton::Left, .. }));
        let up = read(r#"{"pointer":{"x":10,"y":20,"kind":"up","button":"right"}}"#).events().unwrap();
        assert!(matches!(up[0], WindowEvent::PointerReleased { button: PointerEventButton::Right, .. }));
    }

    #[test]
    fn keys_by_the_names_browsers_use() {
        let events = read(r#"{"key":{"key":"F6"}}"#).events().unwrap();
        let text = SharedString::from(char::from(Key::F6));
        assert_eq!(
            events,
            [WindowEvent::KeyPressed { text: text.clone() }, WindowEvent::KeyReleased { text }]
        );
        let events = read(r#"{"key":{"key":"é","down":true}}"#).events().unwrap();
        assert_eq!(events, [WindowEvent::KeyPressed { text: "é".into() }]);
    }

    #[test]
    fn call_12_a_key_that_is_held_says_so() {
        let events = read(r#"{"key":{"key":"Delete","down":true,"again":true}}"#).events().unwrap();
        let text = SharedString::from(char::from(Key::Delete));
        assert_eq!(events, [WindowEvent::KeyPressRepeated { text }]);
    }

    #[test]
    fn nonsense_is_an_error() {
        let far = Input::Wheel { x: 1.0, y: 2.0, dx: f32::INFINITY, dy: 0.0 };
        assert_eq!(far.events(), Err(BadInput::Position));
        let key = Input::Key { key: "Hyper".into(), down: None, again: false };
        assert_eq!(key.events(), Err(BadInput::Key("Hyper".into())));
        let long = Input::Key { key: "x".repeat(10_000), down: None, again: false };
        assert!(matches!(long.events(), Err(BadInput::Key(name)) if name.len() == KEY_LENGTH));
        assert!(serde_json::from_str::<Input>(r#"{"pointer":{"x":1,"y":2,"kind":"sideways"}}"#).is_err());
    }
}
