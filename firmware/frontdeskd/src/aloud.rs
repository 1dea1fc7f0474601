//! The talking desk: texts of the screen become speech where notifications sound, by espeak-ng.
//!
//! A task of its own asks the synthesiser and knows what is said and what waits ([`Queue`]); the engine only hands the
//! sound on, and no call waits for it. A process for each text: what it does wrong ends with it.

use std::{
    collections::VecDeque,
    ops::RangeInclusive,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use ipc::{CallRef, Command, CommandError, Language, MAX_SAID, SpeechPace, SpokenRank};
use media::Said;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process,
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use tracing::{debug, warn};

use crate::{config::SpeechConfig, engine::Event};

/// Texts that may wait for the task.
const INBOX: usize = 32;
/// News that wait to be said.
const MOST_NEWS: usize = 8;
/// What the synthesiser can do, in words a minute.
pub(crate) const WORDS_A_MINUTE: RangeInclusive<u16> = 80..=450;
/// Between two texts.
const PAUSE: Duration = Duration::from_millis(120);
/// How long the synthesiser may take for one text.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most that it may answer: a minute and a half.
const LONGEST: u64 = 90 * 22_050 * 2;

/// For whoever has something to be said. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Aloud {
    texts: mpsc::Sender<Text>,
    /// The synthesiser did not start the last time.
    is_dumb: Arc<AtomicBool>,
}

/// Something to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Text {
    text: String,
    language: Language,
    rank: SpokenRank,
    pace: SpeechPace,
    about: Option<CallRef>,
}

/// Whether a command is one of these.
pub(crate) fn is_its_business(command: &Command) -> bool {
    matches!(command, Command::Say { .. })
}

impl Aloud {
    /// Begins to wait for texts; what is spoken goes to the engine.
    pub(crate) fn start(config: &SpeechConfig, engine: mpsc::Sender<Event>) -> Aloud {
        let (texts, inbox) = mpsc::channel(INBOX);
        let is_dumb = Arc::new(AtomicBool::new(false));
        let speaker = Speaker { config: config.clone(), engine, is_dumb: is_dumb.clone() };
        tokio::spawn(speaker.run(inbox));
        Aloud { texts, is_dumb }
    }

    /// Says a text, when its turn comes.
    ///
    /// # Errors
    /// It is too long, or nothing can be said: the synthesiser does not start.
    pub(crate) fn obey(&self, command: Command) -> Result<(), CommandError> {
        let Command::Say { text, language, rank, pace, about } = command else {
            return Err(CommandError::NotPossible);
        };
        if text.len() > MAX_SAID {
            return Err(failed(format!("the text has more than {MAX_SAID} bytes")));
        }
        // Whoever says more than can be waited for loses the newest of it.
        let _ = self.texts.try_send(Text { text, language, rank, pace, about });
        if self.is_dumb.load(Ordering::Relaxed) {
            return Err(failed("the synthesiser of speech, espeak-ng, does not start".into()));
        }
        Ok(())
    }
}

fn failed(reason: String) -> CommandError {
    CommandError::Failed { reason }
}

/// The task.
struct Speaker {
    config: SpeechConfig,
    engine: mpsc::Sender<Event>,
    is_dumb: Arc<AtomicBool>,
}

impl Speaker {
    async fn run(self, mut texts: mpsc::Receiver<Text>) {
        let mut queue = Queue::default();
        let mut over_at = Instant::now();
        loop {
            if queue.said.is_none()
                && let Some(text) = queue.next()
                && let Some(said) = self.synthesise(&text).await
            {
                over_at = Instant::now() + said.duration() + PAUSE;
                if self.engine.send(Event::Say(Some(said))).await.is_err() {
                    return;
                }
                queue.said = Some((text.rank, text.about));
            }
            let is_talking = queue.said.is_some();
            tokio::select! {
                text = texts.recv() => {
                    let Some(text) = text else { return };
                    if queue.take(text) && self.engine.send(Event::Say(None)).await.is_err() {
                        return;
                    }
                }
                () = sleep_until(over_at), if is_talking => queue.said = None,
                () = std::future::ready(()), if !is_talking && !queue.waits.is_empty() => {}
            }
        }
    }

    /// What cannot be said is left out, and logged when that begins or ends.
    async fn synthesise(&self, text: &Text) -> Option<Said> {
        let said = timeout(PATIENCE, self.ask(text)).await.context("it takes too long").flatten();
        let was_dumb = self.is_dumb.swap(said.is_err(), Ordering::Relaxed);
        match said {
            Ok(said) => Some(said),
            Err(error) if was_dumb => {
                debug!("still not spoken: {error:#}");
                None
            }
            Err(error) => {
                warn!(program = %self.config.program.display(), "the desk cannot speak: {error:#}");
                None
            }
        }
    }

    async fn ask(&self, text: &Text) -> Result<Said> {
        let voice = match text.language {
            Language::English => "en-gb",
            Language::French => "fr-fr",
        };
        let speed = words_a_minute(self.config.words_a_minute, text.pace).to_string();
        let mut child = process::Command::new(&self.config.program)
            .args(["-b", "1", "-v", voice, "-s", &speed, "--stdin", "--stdout"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("it does not start")?;
        let (Some(mut to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("no pipes");
        };
        // Less than a pipe holds, and it reads to the end before it speaks.
        to.write_all(text.text.as_bytes()).await.context("it takes no text")?;
        drop(to);
        let mut wave = Vec::new();
        from.take(LONGEST).read_to_end(&mut wave).await.context("it gives no sound")?;
        let status = child.wait().await?;
        ensure!(status.success(), "it ends with {status}");
        let (rate, samples) = samples(&wave)?;
        // Filters take a while.
        tokio::task::spawn_blocking(move || Said::new(&samples, rate)).await.context("the conversion")
    }
}

/// At the wished pace, within what the synthesiser can do.
fn words_a_minute(set_up: u16, pace: SpeechPace) -> u16 {
    let words = u32::from(set_up) * u32::from(pace.percent()) / 100;
    u16::try_from(words).unwrap_or(u16::MAX).clamp(*WORDS_A_MINUTE.start(), *WORDS_A_MINUTE.end())
}

/// What is said and what waits.
#[derive(Debug, Default)]
struct Queue {
    /// What is being said: its rank, and the call that it is about.
    said: Option<(SpokenRank, Option<CallRef>)>,
    waits: VecDeque<Text>,
}

impl Queue {
    /// Takes a text in. True when what is being said ends for it.
    fn take(&mut self, text: Text) -> bool {
        let outdates = |about: Option<CallRef>| about.is_some() && about == text.about;
        self.waits.retain(|other| !outdates(other.about));
        let rank = self.said.map(|(rank, _)| rank);
        let interrupts = match (text.rank, rank) {
            // The number of a caller whose name was found while it was read out.
            (_, Some(SpokenRank::News)) if outdates(self.said.and_then(|(_, about)| about)) => true,
            (_, None) | (SpokenRank::Place | SpokenRank::News, Some(SpokenRank::News)) => false,
            (SpokenRank::Answer, Some(_)) => {
                self.waits.clear();
                true
            }
            // News wait for an answer; another place does not.
            (SpokenRank::News, Some(rank)) => rank == SpokenRank::Place,
            (SpokenRank::Place, Some(_)) => true,
        };
        if text.rank == SpokenRank::Place {
            self.waits.retain(|other| other.rank != SpokenRank::Place);
        }
        if self.waits.iter().filter(|other| other.rank == SpokenRank::News).count() >= MOST_NEWS
            && let Some(oldest) = self.waits.iter().position(|other| other.rank == SpokenRank::News)
        {
            self.waits.remove(oldest);
        }
        self.waits.push_back(text);
        if interrupts {
            self.said = None;
        }
        interrupts
    }

    /// News before what the keyboard is on.
    fn next(&mut self) -> Option<Text> {
        let first = |rank| self.waits.iter().position(|text| text.rank == rank);
        let at = [SpokenRank::Answer, SpokenRank::News, SpokenRank::Place].into_iter().find_map(first)?;
        self.waits.remove(at)
    }
}

/// Rate and samples of a WAVE stream, 16 bit and mono. Its lengths are not known to a synthesiser that writes as it
/// speaks, so the samples are all that follow the head.
fn samples(wave: &[u8]) -> Result<(u32, Vec<i16>)> {
    const HEAD: usize = 44;
    let two = |at: usize| u16::from_le_bytes([wave[at], wave[at + 1]]);
    ensure!(
        wave.len() >= HEAD && wave.starts_with(b"RIFF") && &wave[8..12] == b"WAVE",
        "it gives no WAVE stream"
    );
    let (format, channels, bits) = (two(20), two(22), two(34));
    ensure!(
        (format, channels, bits) == (1, 1, 16),
        "it gives format {format}, {channels} channels, {bits} bits"
    );
    let rate = u32::from_le_bytes([wave[24], wave[25], wave[26], wave[27]]);
    ensure!((8_000..=48_000).contains(&rate), "it gives {rate} Hz");
    let samples = wave[HEAD..].chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect();
    Ok((rate, samples))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn text(rank: SpokenRank, text: &str) -> Text {
        Text { text: text.into(), language: Language::English, rank, pace: SpeechPace::Usual, about: None }
    }

    fn next(queue: &mut Queue) -> Option<String> {
        let text = queue.next()?;
        queue.said = Some((text.rank, text.about));
        Some(text.text)
    }

    #[test]
    fn acc_7_where_the_keyboard_is_gives_way_to_the_next_place_and_to_news() {
        let mut queue = Queue::default();
        assert!(!queue.take(text(SpokenRank::Place, "one")), "nothing is said yet");
        assert_eq!(next(&mut queue).as_deref(), Some("one"));
        assert!(queue.take(text(SpokenRank::Place, "two")));
        assert!(!queue.take(text(SpokenRank::Place, "three")));
        assert_eq!(next(&mut queue).as_deref(), Some("three"), "only the newest");
        assert!(queue.take(text(SpokenRank::News, "Anna rings")));
        assert_eq!(next(&mut queue).as_deref(), Some("Anna rings"));
        assert!(!queue.take(text(SpokenRank::Place, "four")), "news are said to their end");
        assert!(!queue.take(text(SpokenRank::News, "Ben rings")));
        queue.said = None;
        assert_eq!(next(&mut queue).as_deref(), Some("Ben rings"), "before the place");
        queue.said = None;
        assert_eq!(next(&mut queue).as_deref(), Some("four"));
        assert_eq!(queue.next(), None);
    }

    #[test]
    fn acc_7_an_answer_takes_the_place_of_everything_and_too_much_news_is_left_out() {
        let mut queue = Queue::default();
        for n in 0..20 {
            queue.take(text(SpokenRank::News, &n.to_string()));
        }
        assert_eq!(next(&mut queue).as_deref(), Some("12"), "of twenty the last eight");
        assert!(queue.take(text(SpokenRank::Answer, "the desk")));
        assert_eq!(next(&mut queue).as_deref(), Some("the desk"));
        assert!(!queue.take(text(SpokenRank::News, "Anna rings")), "it was asked for");
        assert!(queue.take(text(SpokenRank::Place, "elsewhere")));
    }

    #[test]
    fn acc_7_news_of_a_call_take_the_place_of_older_news_of_it() {
        let of = |call, words: &str| Text { about: Some(CallRef(call)), ..text(SpokenRank::News, words) };
        let mut queue = Queue::default();
        queue.take(of(1, "0 3 0 1 rings"));
        queue.take(of(2, "0 3 0 2 rings"));
        assert!(!queue.take(of(1, "Anna rings")), "nothing is said yet");
        assert_eq!(next(&mut queue).as_deref(), Some("0 3 0 2 rings"));
        assert!(queue.take(of(2, "Ben rings")), "the digits are not read to their end");
        assert_eq!(next(&mut queue).as_deref(), Some("Anna rings"), "who was first");
        assert!(!queue.take(of(2, "Ben has hung up")), "not of the call that is being told");
        queue.said = None;
        assert_eq!(next(&mut queue).as_deref(), Some("Ben has hung up"), "that he rang is old");
        assert_eq!(queue.next(), None);
    }

    #[test]
    fn acc_7_the_pace_is_a_share_of_the_speed_that_is_set_up() {
        assert_eq!(words_a_minute(190, SpeechPace::Usual), 190);
        assert_eq!(words_a_minute(200, SpeechPace::Slow), 150);
        assert_eq!(words_a_minute(200, SpeechPace::Fastest), 360);
        assert_eq!(words_a_minute(400, SpeechPace::Fastest), 450, "the most that it can");
        assert_eq!(words_a_minute(80, SpeechPace::Slow), 80);
    }

    #[test]
    fn acc_7_only_what_can_be_played_is_taken_for_sound() {
        let mut wave = b"RIFF\xff\xff\xff\x7fWAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
        wave.extend(22_050_u32.to_le_bytes());
        wave.extend(44_100_u32.to_le_bytes());
        wave.extend(b"\x02\0\x10\0data\xff\xff\xff\x7f\x01\0\xff\xff\x05");
        assert_eq!(samples(&wave).unwrap(), (22_050, vec![1, -1]));
        assert!(samples(&wave[..40]).is_err());
        assert!(samples(b"espeak-ng: no such voice, and so on and so on and so on").is_err());
        wave[22] = 2;
        assert!(samples(&wave).is_err(), "stereo");
    }
}
