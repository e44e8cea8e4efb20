//! Seeded kills at random moments: of either shim or both, with and without a restart, over Unix
//! sockets and TLS. `cargo test` runs a few; for all of them:
//!
//! ```text
//! KILLS=400 cargo test --release -p snapshot-tests --test live_migration kills -- --nocapture
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::Signal;

use crate::program::{run, signal};
use crate::shims::{Shims, Who, has_record};

/// The number of runs of `cargo test`.
const FEW: usize = 8;

/// The maximum time of a sandbox.
const TO_THE_END: Duration = Duration::from_secs(90);

/// A small generator of random numbers. The same seed gives the same run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn millis(&mut self, bound: u64) -> Duration {
        Duration::from_micros(self.below(bound * 1000))
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    Starting,
    Running,
    HandOver,
    Blackout,
    After,
}

impl Moment {
    const ALL: [Moment; 5] =
        [Moment::Starting, Moment::Running, Moment::HandOver, Moment::Blackout, Moment::After];

    /// Waits for the moment.
    fn wait(self, shims: &mut Shims, random: &mut Random) {
        let folder = shims.folder();
        let mut until = |what: &str, look: &dyn Fn(&mut Shims) -> bool| {
            let _ = what;
            let over = |shims: &mut Shims| Who::BOTH.iter().all(|who| shims.has_ended(*who));
            let _ = crate::look_until_after(Duration::from_secs(30), || {
                (look(shims) || over(shims)).then_some(())
            });
        };
        let within = match self {
            Moment::Starting => random.millis(250),
            Moment::Running => {
                until("it runs", &|shims| shims.get(Who::Source).has_said("containers in"));
                random.millis(250)
            }
            Moment::HandOver => {
                until("it begins", &|_| has_record(&folder, "source"));
                random.millis(60)
            }
            Moment::Blackout => {
                until("it is frozen", &|shims| shims.get(Who::Source).has_said("│ freeze"));
                random.millis(40)
            }
            Moment::After => {
                let here = |shims: &mut Shims| {
                    shims.get(Who::Destination).has_said("the sandbox runs here")
                };
                until("it is live", &here);
                random.millis(500)
            }
        };
        std::thread::sleep(within);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Victims {
    Source,
    Destination,
    Both,
}

impl Victims {
    fn all(self) -> &'static [Who] {
        match self {
            Victims::Source => &[Who::Source],
            Victims::Destination => &[Who::Destination],
            Victims::Both => &Who::BOTH,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    moment: Moment,
    victims: Victims,
    is_started_again: bool,
}

/// The outcomes of some runs.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    runs: usize,
    to_the_end: usize,
    lines: usize,
    wrong: usize,
    /// Processes.
    left_over: usize,
    /// Descriptors that a shim had at the end and did not need.
    descriptors: usize,
}

impl Tally {
    fn add(&mut self, other: &Tally) {
        self.runs += other.runs;
        self.to_the_end += other.to_the_end;
        self.lines += other.lines;
        self.wrong += other.wrong;
        self.left_over += other.left_over;
        self.descriptors += other.descriptors;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { runs, to_the_end, lines, wrong, left_over, descriptors } = self;
        write!(
            f,
            "{runs:>5} {to_the_end:>8} {lines:>9} {wrong:>6} {left_over:>9} {descriptors:>11}"
        )
    }
}

/// One run.
fn one(seed: u64, keys: &Path) -> (Kind, bool, Tally, Option<String>) {
    let mut random = Random(seed);
    let kind = Kind {
        moment: random.of(&Moment::ALL),
        victims: random.of(&[Victims::Source, Victims::Destination, Victims::Both]),
        is_started_again: random.below(4) > 0,
    };
    let is_tls = random.below(2) == 0;
    let containers = 1 + usize::try_from(random.below(6)).unwrap();
    let patience = if kind.is_started_again { "60" } else { "0.5" };
    let more = ["--seconds", "0.3", "--patience", patience];
    let mut shims = match is_tls {
        false => Shims::unix(containers, &more),
        true => {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let address = port.to_string();
            let mut shims = Shims::new(&address, &address, containers, &more);
            for (who, side) in [(Who::Source, "source"), (Who::Destination, "destination")] {
                for (option, file) in [
                    ("--tls-cert", format!("{side}.pem")),
                    ("--tls-key", format!("{side}.key")),
                    ("--tls-ca", "ca.pem".to_owned()),
                ] {
                    shims.with(who, &[option, keys.join(file).to_str().unwrap()]);
                }
            }
            shims
        }
    };
    shims.start(Who::Destination);
    std::thread::sleep(random.millis(20));
    shims.start(Who::Source);
    kind.moment.wait(&mut shims, &mut random);
    let is_stopped_first = random.below(4) == 0;
    for who in kind.victims.all() {
        if is_stopped_first && let Some(id) = shims.id(*who) {
            signal(id, Signal::STOP);
            std::thread::sleep(random.millis(100));
        }
        shims.kill(*who);
        std::thread::sleep(random.millis(30));
    }
    if kind.is_started_again {
        for who in kind.victims.all() {
            std::thread::sleep(random.millis(100));
            shims.start(*who);
        }
        // Some of them are killed a second time.
        if random.below(3) == 0 {
            std::thread::sleep(random.millis(600));
            for who in kind.victims.all() {
                shims.kill(*who);
                shims.start(*who);
            }
        }
    }
    let patience = if kind.is_started_again { TO_THE_END } else { Duration::from_secs(6) };
    let has_ended = shims.finish(patience);
    let mut trouble = Vec::new();
    if !has_ended {
        let line = shims.status_line();
        // Killed before there was anything with a status.
        let is_early = !shims.folder().join("source").exists();
        let has_status = line.contains("type ") || line.contains("has ended") || is_early;
        if kind.is_started_again || !has_status {
            trouble.push(format!("the sandbox did not run to its end: {line}"));
        }
        shims.end_sandbox();
    }
    let (wrong, lines) = shims.wrong_lines(has_ended);
    let left = shims.left_over();
    trouble.extend(wrong.iter().cloned());
    trouble.extend(left.iter().map(|(pid, line)| format!("left: {pid} {line}")));
    if shims.surplus > 0 {
        trouble.push(format!("{} descriptors too many", shims.surplus));
    }
    if shims.socket().exists() && kind.is_started_again {
        trouble.push("the socket is left".to_owned());
    }
    let tally = Tally {
        runs: 1,
        to_the_end: usize::from(has_ended),
        lines,
        wrong: wrong.len(),
        left_over: left.len(),
        descriptors: shims.surplus,
    };
    let said = (!trouble.is_empty()).then(|| {
        format!("seed {seed}: {kind:?}, TLS: {is_tls}\n{}\n{}", trouble.join("\n"), shims.said())
    });
    (kind, is_tls, tally, said)
}

#[test]
fn kills_at_random_moments_lose_no_sandbox_that_is_started_again_and_no_line() {
    let runs = std::env::var("KILLS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(FEW);
    let first = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0_u64);
    let dir = tempfile::tempdir().unwrap();
    let keys = dir.path().join("keys");
    run(&["keys", keys.to_str().unwrap()]).succeeded();
    let next = AtomicUsize::new(0);
    let tallies = Mutex::new(BTreeMap::<(bool, bool, Moment, Victims), Tally>::new());
    let troubles = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= runs {
                        return;
                    }
                    let (kind, is_tls, tally, trouble) = one(first + number as u64, &keys);
                    if let Some(trouble) = trouble {
                        println!("{trouble}");
                        troubles.lock().unwrap().push(trouble);
                    }
                    let row = (!kind.is_started_again, is_tls, kind.moment, kind.victims);
                    let mut tallies = tallies.lock().unwrap();
                    tallies.entry(row).or_default().add(&tally);
                }
            });
        }
    });
    print_table(&tallies.into_inner().unwrap());
    let troubles = troubles.into_inner().unwrap();
    assert!(troubles.is_empty(), "{} of {runs} runs:\n{}", troubles.len(), troubles.join("\n\n"));
}

fn print_table(tallies: &BTreeMap<(bool, bool, Moment, Victims), Tally>) {
    println!(
        "{:<13} {:<5}{:<10} {:<12} {:>5} {:>8} {:>9} {:>6} {:>9} {:>11}",
        "",
        "link",
        "moment",
        "killed",
        "runs",
        "to end",
        "lines",
        "wrong",
        "processes",
        "descriptors"
    );
    let mut sums: BTreeMap<bool, Tally> = BTreeMap::new();
    for ((is_left, is_tls, moment, victims), tally) in tallies {
        let again = if *is_left { "left" } else { "started again" };
        let link = if *is_tls { "TLS" } else { "Unix" };
        // `Debug` of an enum takes no width.
        let [moment, victims] = [format!("{moment:?}"), format!("{victims:?}")];
        println!("{again:<13} {link:<5}{moment:<10} {victims:<12} {tally}");
        sums.entry(*is_left).or_default().add(tally);
    }
    for (is_left, sum) in sums {
        let again = if is_left { "left" } else { "started again" };
        println!("{:<41} {sum}", format!("all {again}"));
    }
}
