//! Writes the gallery of components to `target/gallery/components`: every component of `slint/components` in its states, a
//! picture each in all themes and languages, the pseudo-locale among them.
//!
//! `gallery [--out DIRECTORY] [--look WORD…] [--sheets DIRECTORY --screens DIRECTORY] [NAME…]`: only the components and
//! looks named, when there are names. With `--sheets` it puts these pictures, and those that `screens` has written, on
//! contact sheets.

mod sheet;

use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::Context;
use clap::Parser;
use frontdesk_ui::pseudo;
use frontdesk_ui::web::{self, Offscreen};
use slint::platform::{PointerEventButton, WindowEvent};
use slint::{ComponentHandle, LogicalPosition, Model, ModelRc, PhysicalSize, VecModel};

/// What the Slint compiler makes of `slint/gallery/gallery.slint`.
#[allow(
    missing_docs,
    unreachable_pub,
    unused_imports,
    unused_qualifications,
    dead_code,
    clippy::all,
    clippy::todo,
    clippy::unwrap_used,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
mod pages {
    include!(concat!(env!("OUT_DIR"), "/gallery.rs"));
}

use pages::{Calendar, CalendarDay, Finger, Gallery, Ink};

/// Writes pictures of the components.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to.
    #[arg(long, default_value = "target/gallery/components")]
    out: PathBuf,
    /// Looks to draw, as in the names of the files: `dark-en`; all of them when none is named.
    #[arg(long)]
    look: Vec<String>,
    /// Where to put contact sheets of all these pictures; none when it is not said.
    #[arg(long, requires = "screens")]
    sheets: Option<PathBuf>,
    /// Where the program `screens` has put its pictures.
    #[arg(long)]
    screens: Option<PathBuf>,
    /// Components to draw; all of them when none is named.
    names: Vec<String>,
}

/// Colours and language that a component is looked at in.
#[derive(Clone, Copy)]
struct Look {
    /// As it stands in the name of a picture.
    theme: &'static str,
    tongue: &'static str,
}

const THEMES: [&str; 3] = ["dark", "light", "contrast"];
const TONGUES: [&str; 3] = ["en", "fr", "pseudo"];

/// Before a page says how large it is: as wide as a screen, so that nothing is narrower than it wishes.
const BEFORE: PhysicalSize = PhysicalSize { width: 1280, height: 800 };

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    frontdesk_ui::clock::stand_still();
    std::fs::create_dir_all(&arguments.out).with_context(|| format!("{}", arguments.out.display()))?;
    let screen = web::install(BEFORE, 1.0)?;
    let known: Vec<String> = Gallery::new()?.get_every_page().iter().map(String::from).collect();
    if let Some(unknown) = arguments.names.iter().find(|name| !known.contains(name)) {
        anyhow::bail!("no component is called {unknown}; there are {}", known.join(", "));
    }
    let looks = THEMES.iter().flat_map(|theme| TONGUES.iter().map(move |tongue| Look { theme, tongue }));
    let looks: Vec<Look> = looks.collect();
    let words: Vec<String> = looks.iter().map(|look| look.word()).collect();
    if let Some(unknown) = arguments.look.iter().find(|word| !words.contains(word)) {
        anyhow::bail!("no look is called {unknown}; there are {}", words.join(", "));
    }
    for look in looks.iter().filter(|look| arguments.look.is_empty() || arguments.look.contains(&look.word()))
    {
        for name in known.iter().filter(|name| arguments.names.is_empty() || arguments.names.contains(name)) {
            draw(&screen, name, *look, &arguments.out)?;
        }
    }
    if let Some((sheets, screens)) = arguments.sheets.as_deref().zip(arguments.screens.as_deref()) {
        sheet::write_all(&arguments.out, screens, sheets)?;
    }
    Ok(())
}

impl Look {
    fn word(self) -> String {
        format!("{}-{}", self.theme, self.tongue)
    }
}

fn draw(screen: &Rc<Offscreen>, name: &str, look: Look, out: &Path) -> anyhow::Result<()> {
    screen.set_size(BEFORE);
    let gallery = Gallery::new()?;
    gallery.show()?;
    let ink = gallery.global::<Ink>();
    ink.set_dark(look.theme != "light");
    ink.set_contrast(look.theme == "contrast");
    let language = if look.tongue == "pseudo" { pseudo::LOCALE } else { look.tongue };
    slint::select_bundled_translation(language)
        .map_err(|error| anyhow::anyhow!("{error}: a release build has no pseudo-locale"))?;
    show_july(&gallery.global::<Calendar>());
    gallery.set_page(name.into());
    settle(screen);
    screen.set_size(whole(gallery.get_wanted_width(), gallery.get_wanted_height()));
    settle(screen);
    let finger = gallery.global::<Finger>();
    let position = LogicalPosition::new(finger.get_x(), finger.get_y());
    let button = PointerEventButton::Left;
    if finger.get_down() {
        screen.dispatch(WindowEvent::PointerMoved { position })?;
        screen.dispatch(WindowEvent::PointerPressed { position, button })?;
        settle(screen);
    }
    let path = out.join(format!("{name}-{}.png", look.word()));
    let png = screen.picture().png().context("nothing was drawn")?;
    std::fs::write(&path, png).with_context(|| format!("{}", path.display()))?;
    if finger.get_down() {
        screen.dispatch(WindowEvent::PointerReleased { position, button })?;
    }
    gallery.hide()?;
    #[allow(clippy::print_stdout, reason = "the list of pictures is this program's answer")]
    {
        println!("{}", path.display());
    }
    Ok(())
}

/// Lets layouts and change handlers run until nothing moves any more.
fn settle(screen: &Offscreen) {
    for _ in 0..4 {
        screen.draw();
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a page is some hundred pixels, never less than none"
)]
fn whole(width: f32, height: f32) -> PhysicalSize {
    PhysicalSize::new(width.ceil().max(1.) as u32, height.ceil().max(1.) as u32)
}

/// A month of the calendar: the 21st is today, the keyboard is on the 16th, and the 20th is shown.
fn show_july(calendar: &Calendar<'_>) {
    calendar.set_month(7);
    calendar.set_year(2026);
    // From Monday, 29 June, to Sunday, 9 August.
    let days =
        (29..=30).map(|day| (day, 6)).chain((1..=31).map(|day| (day, 7))).chain((1..=9).map(|day| (day, 8)));
    let days = days.enumerate().map(|(at, (day, month))| {
        let ahead = month == 8 || (month == 7 && day > 21);
        CalendarDay {
            weekday: i32::try_from((at + 1) % 7).unwrap_or_default(),
            day,
            month,
            year: 2026,
            outside: month != 7,
            today: (day, month) == (21, 7),
            chosen: (day, month) == (20, 7),
            meant: (day, month) == (16, 7),
            ahead,
            calls: !ahead && at % 7 < 5,
        }
    });
    calendar.set_days(ModelRc::new(VecModel::from(days.collect::<Vec<_>>())));
    calendar.set_numbers(ModelRc::new(VecModel::from((27..=32).collect::<Vec<_>>())));
}
