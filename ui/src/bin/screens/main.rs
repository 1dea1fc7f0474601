//! Writes pictures of the desk to `target/screens`: the scenes, in all themes, languages and sizes, the pseudo-locale
//! among them.
//!
//! `screens [--out DIRECTORY] [--look WORD…] [NAME…]`: only the scenes and looks named, when there are names. All clocks
//! stand still, so that a picture differs from an older one only where the screen does (`tests/golden.rs`).
//!
//! A program can draw on one thread only: where several looks are wanted, each is drawn by a program of its own, one to a
//! processor.

mod stage;
mod table;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use clap::Parser;
use frontdesk_ui::web::{self, Offscreen};
use ipc::{TextSize, Theme};
use slint::{ComponentHandle, PhysicalSize};

use stage::{Look, Stage, Tongue};
use table::{SCENES, Scene};

/// Writes pictures of the desk.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to.
    #[arg(long, default_value = "target/screens")]
    out: PathBuf,
    /// Looks to draw, as in the names of the files: `dark-en-800`; all of them when none is named.
    #[arg(long)]
    look: Vec<String>,
    /// Scenes to draw; all of them when none is named.
    names: Vec<String>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    frontdesk_ui::clock::stand_still();
    std::fs::create_dir_all(&arguments.out).with_context(|| format!("{}", arguments.out.display()))?;
    if let Some(unknown) = arguments.names.iter().find(|name| SCENES.iter().all(|scene| scene.name != **name))
    {
        let known: Vec<&str> = SCENES.iter().map(|scene| scene.name).collect();
        anyhow::bail!("no scene is called {unknown}; there are {}", known.join(", "));
    }
    let wanted = |name: &str| arguments.names.is_empty() || arguments.names.iter().any(|n| n == name);
    let looks = looks();
    if let Some(unknown) = arguments.look.iter().find(|word| looks.iter().all(|look| look.word() != **word)) {
        anyhow::bail!(
            "no look is called {unknown}; there are {}",
            looks.iter().map(|look| look.word()).collect::<Vec<_>>().join(", ")
        );
    }
    let looks: Vec<Look> = looks
        .into_iter()
        .filter(|look| arguments.look.is_empty() || arguments.look.contains(&look.word()))
        .collect();
    if looks.len() > 1 {
        return draw_side_by_side(&looks, &arguments);
    }
    let screen = web::install(PhysicalSize::new(1280, 800), 1.0)?;
    for look in looks {
        for scene in SCENES.iter().filter(|scene| wanted(scene.name)) {
            draw(&screen, scene, look, &arguments.out)?;
        }
    }
    Ok(())
}

/// Each look by this same program.
fn draw_side_by_side(looks: &[Look], arguments: &Arguments) -> anyhow::Result<()> {
    let program = std::env::current_exe()?;
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(look) = looks.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut command = Command::new(&program);
            command.arg("--out").arg(&arguments.out).args(["--look", &look.word()]).args(&arguments.names);
            if !command.status().is_ok_and(|status| status.success()) {
                failed.lock().unwrap_or_else(PoisonError::into_inner).push(look.word());
            }
        }
    };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..processors.min(looks.len()) {
            scope.spawn(work);
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    anyhow::ensure!(failed.is_empty(), "not drawn to the end: {}", failed.join(", "));
    Ok(())
}

/// Sizes, colours and languages that a screen is looked at in; the largest texts where there is least room for them.
fn looks() -> Vec<Look> {
    let themes = [Theme::Dark, Theme::Light, Theme::Contrast];
    let tongues = [Tongue::English, Tongue::French, Tongue::Pseudo];
    let mut looks = Vec::new();
    for (width, height) in [(1280, 800), (1920, 1080)] {
        let size = PhysicalSize::new(width, height);
        for (theme, tongue) in themes.iter().flat_map(|theme| tongues.map(|tongue| (*theme, tongue))) {
            looks.push(Look { size, theme, tongue, text: TextSize::Usual });
        }
    }
    let size = PhysicalSize::new(1280, 800);
    let (theme, text) = (Theme::Dark, TextSize::Largest);
    looks.extend([Tongue::English, Tongue::French].map(|tongue| Look { size, theme, tongue, text }));
    looks
}

impl Look {
    /// As it stands in the name of a picture.
    fn word(self) -> String {
        let theme = match self.theme {
            Theme::Dark => "dark",
            Theme::Light => "light",
            Theme::Contrast => "contrast",
        };
        let tongue = match self.tongue {
            Tongue::English => "en",
            Tongue::French => "fr",
            Tongue::Pseudo => "pseudo",
        };
        let text = match self.text {
            TextSize::Usual => "",
            TextSize::Large => "-large",
            TextSize::Largest => "-largest",
        };
        format!("{theme}-{tongue}-{}{text}", self.size.height)
    }
}

fn draw(screen: &Rc<Offscreen>, scene: &Scene, look: Look, out: &Path) -> anyhow::Result<()> {
    let stage = Stage::put_up(screen, scene, look, Box::new(stage::answer))?;
    let path = out.join(format!("{}-{}.png", scene.name, look.word()));
    let png = screen.picture().png().context("nothing was drawn")?;
    std::fs::write(&path, png).with_context(|| format!("{}", path.display()))?;
    stage.console.app().hide()?;
    #[allow(clippy::print_stdout, reason = "the list of pictures is this program's answer")]
    {
        println!("{}", path.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use frontdesk_ui::{scenes, screen};

    use super::stage::Named;
    use super::*;

    /// Where a hand looks for something, and whether the keyboard on the screen is up then.
    const TOUCHED: [(&str, bool); 22] = [
        ("drag", false),
        ("drag-refused", false),
        ("attended", false),
        ("list-drag", false),
        ("night", false),
        ("call-menu", false),
        ("call-marked", false),
        ("crm", false),
        ("callers-menu", false),
        ("contact-menu", false),
        ("connector-menu", false),
        ("transfer-bar", false),
        ("log-menu", false),
        ("alert-menu", false),
        ("editor", false),
        ("editor-history", false),
        ("editor-leave", false),
        ("editor-new", true),
        ("customer-note", true),
        ("board-dial", true),
        ("board-note", true),
        ("notes-bold", true),
    ];

    /// One test: a program can draw on one thread only.
    #[test]
    fn acc_4_hands_find_what_they_touch_on_every_screen_and_with_the_largest_texts() {
        frontdesk_ui::clock::stand_still();
        let screen = web::install(PhysicalSize::new(1280, 800), 1.0).expect("nothing else draws");
        let wanted = ["dark-en-800", "light-pseudo-1080", "dark-fr-800-largest"];
        let looks: Vec<Look> =
            looks().into_iter().filter(|look| wanted.contains(&look.word().as_str())).collect();
        assert_eq!(looks.len(), wanted.len());
        for look in looks {
            for (name, board) in TOUCHED {
                let scene = SCENES.iter().find(|scene| scene.name == name).expect(name);
                let stage = Stage::put_up(&screen, scene, look, Box::new(stage::answer))
                    .unwrap_or_else(|error| panic!("{}: {error:#}", look.word()));
                let app = stage.console.app();
                assert_eq!(app.global::<screen::Board>().get_open(), board, "{name} {}", look.word());
                app.hide().expect("it is shown");
            }
            let missing = Scene {
                name: "nobody",
                view: scenes::picture,
                act: |stage| stage.menu_of(Named::Beside("Ada Nobody")),
            };
            let error = Stage::put_up(&screen, &missing, look, Box::new(stage::answer)).err();
            let error = format!("{:#}", error.expect("there is nobody of that name"));
            assert!(error.contains("scene nobody") && error.contains("Ada Nobody"), "{error}");
        }
    }
}
