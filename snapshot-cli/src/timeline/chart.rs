//! Draws the chart: a row for each side and each controller, a bar for each phase and each hook.

use std::collections::{HashMap, HashSet};

use snapshot_core::SideReport;

use super::svg::Picture;
use crate::show::{plural, size};

/// The maximum number of drawn controllers; the slowest ones are drawn.
const SHOWN: usize = 80;
/// The maximum number of lines with findings.
const FINDINGS: usize = 20;

const WIDTH: f64 = 1200.0;
const LABELS: f64 = 300.0;
const RIGHT: f64 = 24.0;
const LEGEND: f64 = 480.0;
const ROW: f64 = 20.0;
const TOP: f64 = 84.0;
/// The maximum length of a label, in characters.
const LABEL: usize = 42;

const STYLE: &str = "\
    text{font:12px system-ui,sans-serif;fill:#1f2328}.title{font-size:16px;font-weight:600}\
    .label{font-family:ui-monospace,monospace;font-size:11px}.side{font-weight:600}\
    .dim{fill:#656d76}.end{text-anchor:end}.middle{text-anchor:middle}.wrong{fill:#cf222e}\
    .paper{fill:#fff}.grid{stroke:#d0d7de;stroke-width:1}.blackout{fill:#1f2328;fill-opacity:.09}\
    .edge{stroke:#1f2328;stroke-width:1;stroke-dasharray:4 3}\
    .freeze{fill:#0969da}.save{fill:#8250df}.import{fill:#bf3989}.patch{fill:#bc4c00}\
    .resume{fill:#1a7f37}.commit{fill:#57606a}.thaw{fill:#54aeff}.abort{fill:#d4a72c}\
    .other{fill:#8c959f}.failed{stroke:#cf222e;stroke-width:2.5}";

/// The phases that have a colour, in their order.
const PHASES: [&str; 8] =
    ["freeze", "save", "import", "patch", "resume", "commit", "thaw", "abort"];

/// A span of time, in nanoseconds from the start of the chart.
#[derive(Clone, Copy, Debug)]
struct Span {
    began: u64,
    took: u64,
}

struct Bar {
    span: Span,
    phase: String,
    succeeded: bool,
    title: String,
}

struct Row {
    label: String,
    class: &'static str,
    bars: Vec<Bar>,
}

/// Draws the sides of a migration.
pub(super) fn draw(sides: &[SideReport]) -> String {
    let clock = Clock::of(sides);
    let mut rows: Vec<Row> = sides.iter().map(|side| side_row(side, &clock)).collect();
    let (controllers, left_out) = controller_rows(sides, &clock);
    rows.extend(controllers);
    let blackout = blackout(sides, &clock);
    let end = rows.iter().flat_map(|row| &row.bars).map(|bar| bar.span);
    let end = end.chain(blackout).map(|span| span.began.saturating_add(span.took)).max();
    let chart = Chart { end: end.unwrap_or(0).max(1), bottom: TOP + rows.len() as f64 * ROW };

    let mut picture = Picture::default();
    chart.head(sides, blackout, &mut picture);
    if let Some(span) = blackout {
        chart.blackout(span, &mut picture);
    }
    chart.axis(&mut picture);
    for (number, row) in rows.iter().enumerate() {
        chart.row(number, row, &mut picture);
    }
    let height = chart.foot(sides, left_out, &mut picture);
    picture.finish(WIDTH, height, STYLE)
}

/// A common time for sides with separate clocks.
struct Clock {
    start: u64,
}

impl Clock {
    /// The chart starts with the first event.
    fn of(sides: &[SideReport]) -> Self {
        let starts = sides.iter().filter_map(|side| {
            let phases = side.phases.iter().map(|phase| phase.began_ns);
            let began = phases.chain(side.hooks.iter().map(|hook| hook.began_ns)).min()?;
            Some(side.started_ns.saturating_add(began))
        });
        Self { start: starts.min().unwrap_or(0) }
    }

    fn span(&self, side: &SideReport, began: u64, took: u64) -> Span {
        let began = side.started_ns.saturating_add(began).saturating_sub(self.start);
        Span { began, took }
    }
}

fn side_row(side: &SideReport, clock: &Clock) -> Row {
    let bars = side.phases.iter().map(|phase| Bar {
        span: clock.span(side, phase.began_ns, phase.took_ns),
        title: title(&side.side, &phase.phase, phase.took_ns, phase.succeeded),
        phase: phase.phase.clone(),
        succeeded: phase.succeeded,
    });
    Row { label: side.side.clone(), class: "label side", bars: bars.collect() }
}

fn title(who: &str, phase: &str, took: u64, succeeded: bool) -> String {
    let failed = if succeeded { "" } else { ", failed" };
    format!("{who}: {phase} {}{failed}", time(took))
}

/// The rows of the controllers, parents first, and the number of omitted ones.
fn controller_rows(sides: &[SideReport], clock: &Clock) -> (Vec<Row>, usize) {
    let mut saved: HashMap<&str, u64> = HashMap::new();
    // In the order of the saved tree; then controllers that only have hooks, in the order of their start.
    let mut ids: Vec<&str> = Vec::new();
    let mut met = HashSet::new();
    for side in sides {
        saved.extend(side.saved.iter().map(|s| (s.controller.as_str(), s.bytes)));
        ids.extend(side.saved.iter().map(|s| s.controller.as_str()).filter(|id| met.insert(*id)));
    }
    let mut hooks: Vec<_> =
        sides.iter().flat_map(|side| side.hooks.iter().map(move |hook| (side, hook))).collect();
    hooks.sort_by_key(|(side, hook)| clock.span(side, hook.began_ns, 0).began);
    ids.extend(hooks.iter().map(|(_, hook)| hook.controller.as_str()).filter(|id| met.insert(*id)));

    let mut rows: HashMap<&str, Vec<Bar>> = HashMap::new();
    let mut total: HashMap<&str, u64> = HashMap::new();
    for (side, hook) in hooks {
        let sum = total.entry(&hook.controller).or_default();
        // A failed controller is always shown.
        *sum = sum.saturating_add(if hook.succeeded { hook.took_ns } else { u64::MAX / 4 });
        rows.entry(&hook.controller).or_default().push(Bar {
            span: clock.span(side, hook.began_ns, hook.took_ns),
            title: format!(
                "{}; {}",
                title(&hook.controller, &hook.phase, hook.took_ns, hook.succeeded),
                match saved.get(hook.controller.as_str()) {
                    Some(bytes) => format!("{}, {} saved", hook.type_url, size(*bytes)),
                    None => hook.type_url.clone(),
                }
            ),
            phase: hook.phase.clone(),
            succeeded: hook.succeeded,
        });
    }
    let left_out = ids.len().saturating_sub(SHOWN);
    if left_out > 0 {
        let mut slowest = ids.clone();
        slowest.sort_by_key(|id| std::cmp::Reverse(total.get(id).copied().unwrap_or(0)));
        let shown: HashSet<&str> = slowest.into_iter().take(SHOWN).collect();
        ids.retain(|id| shown.contains(id));
    }
    let row = |id: &str| Row {
        label: id.to_owned(),
        class: "label",
        bars: rows.remove(id).unwrap_or_default(),
    };
    (ids.into_iter().map(row).collect(), left_out)
}

/// The time from the source's freeze until the destination is live, or the source is live again.
fn blackout(sides: &[SideReport], clock: &Clock) -> Option<Span> {
    let of_side = |side: &SideReport| {
        side.blackout.as_ref().map(|found| clock.span(side, found.began_ns, found.took_ns))
    };
    let first = sides.iter().filter_map(of_side).min_by_key(|span| span.began)?;
    // The source's own blackout lasts until its commit, when the destination is already live.
    let resumed = sides.iter().filter(|side| side.failure.is_none()).find_map(|side| {
        let phase = side.phases.iter().find(|phase| phase.phase == "resume" && phase.succeeded)?;
        let span = clock.span(side, phase.began_ns, phase.took_ns);
        Some(span.began.saturating_add(span.took))
    });
    match resumed {
        Some(end) => Some(Span { took: end.saturating_sub(first.began), ..first }),
        None => Some(first),
    }
}

struct Chart {
    /// The end of the chart, in nanoseconds.
    end: u64,
    /// The end of the last row.
    bottom: f64,
}

impl Chart {
    fn x(&self, time: u64) -> f64 {
        let part = time.min(self.end) as f64 / self.end as f64;
        LABELS + part * (WIDTH - LABELS - RIGHT)
    }

    fn head(&self, sides: &[SideReport], blackout: Option<Span>, picture: &mut Picture) {
        // The failed side knows its controllers; the other side only received the failure.
        let failed = sides.iter().filter_map(|side| Some((side, side.failure.as_ref()?)));
        let failed = failed.max_by_key(|(_, failure)| !failure.controllers.is_empty());
        let failed = failed.map(|(side, failure)| {
            format!("failed in {} on the {}: {}", failure.phase, side.side, failure.code)
        });
        let (class, title) = match &failed {
            Some(failed) => ("title wrong", format!("Migration {failed}")),
            None => ("title", "Migration".to_owned()),
        };
        picture.text(16.0, 28.0, class, &title);
        let saved: u64 = sides.iter().flat_map(|side| &side.saved).map(|s| s.bytes).sum();
        let controllers = sides.iter().map(|side| side.saved.len()).max().unwrap_or(0);
        let mut facts = Vec::new();
        if let Some(span) = blackout {
            facts.push(format!("blackout {}", time(span.took)));
        }
        if controllers > 0 {
            let controllers = plural(controllers, "controller", "controllers");
            facts.push(format!("{controllers}, {} saved", size(saved)));
        }
        picture.text(16.0, 48.0, "dim", &facts.join("; "));
        let met: HashSet<&str> = sides
            .iter()
            .flat_map(|side| {
                let hooks = side.hooks.iter().map(|hook| hook.phase.as_str());
                side.phases.iter().map(|phase| phase.phase.as_str()).chain(hooks)
            })
            .collect();
        let mut x = LEGEND;
        for phase in PHASES.into_iter().filter(|phase| met.contains(phase)) {
            picture.area([x, 39.0, 11.0, 11.0], phase, "");
            picture.text(x + 16.0, 49.0, "", phase);
            x += 72.0;
        }
    }

    fn blackout(&self, span: Span, picture: &mut Picture) {
        let (from, to) = (self.x(span.began), self.x(span.began.saturating_add(span.took)));
        let title = format!("blackout {}", time(span.took));
        picture.area([from, TOP, (to - from).max(0.5), self.bottom - TOP], "blackout", &title);
        for x in [from, to] {
            picture.stroke([x, TOP - 4.0, x, self.bottom], "edge");
        }
    }

    /// Draws about eight lines at round times.
    fn axis(&self, picture: &mut Picture) {
        let mut step: u64 = 1;
        for factor in [2, 5, 10].into_iter().cycle() {
            if self.end / step <= 8 {
                break;
            }
            // 1, 2, 5, 10, 20, 50, ...
            let decade = 10_u64.saturating_pow(step.ilog10());
            step = decade.saturating_mul(factor);
        }
        let mut at = 0;
        while at <= self.end {
            let x = self.x(at);
            picture.stroke([x, TOP, x, self.bottom], "grid");
            picture.text(x, TOP - 8.0, "dim middle", &time(at));
            let Some(next) = at.checked_add(step) else { break };
            at = next;
        }
    }

    fn row(&self, number: usize, row: &Row, picture: &mut Picture) {
        let y = TOP + number as f64 * ROW;
        let class = format!("{} end", row.class);
        picture.text(LABELS - 10.0, y + 14.0, &class, &shortened(&row.label));
        for bar in &row.bars {
            let from = self.x(bar.span.began);
            let to = self.x(bar.span.began.saturating_add(bar.span.took));
            let colour = PHASES.into_iter().find(|phase| *phase == bar.phase).unwrap_or("other");
            let class = match bar.succeeded {
                true => colour.to_owned(),
                false => format!("{colour} failed"),
            };
            // A very short bar gets a minimum width.
            picture.area([from, y + 4.0, (to - from).max(1.0), ROW - 8.0], &class, &bar.title);
        }
    }

    /// Writes the omissions and the failures, and returns the height of the picture.
    fn foot(&self, sides: &[SideReport], left_out: usize, picture: &mut Picture) -> f64 {
        let mut y = self.bottom + 24.0;
        let mut line = |class: &str, text: &str| {
            picture.text(16.0, y, class, text);
            y += 18.0;
        };
        if left_out > 0 {
            let more = plural(left_out, "controller", "controllers");
            line("dim", &format!("the {SHOWN} slowest controllers; {more} omitted"));
        }
        for side in sides {
            let Some(failure) = &side.failure else { continue };
            let lists = [("wrong", "", &failure.findings), ("wrong", "undo: ", &failure.undo)];
            for (class, what, findings) in lists {
                for finding in findings.iter().take(FINDINGS) {
                    let place = [finding.controller.as_deref().unwrap_or_default(), &finding.path];
                    let place: String = place
                        .into_iter()
                        .filter(|part| !part.is_empty())
                        .map(|part| format!("{part}: "))
                        .collect();
                    let text = format!("{}: {what}{place}{}", side.side, finding.reason);
                    line(class, &text);
                }
                if findings.len() > FINDINGS {
                    line(class, &format!("and {} more", findings.len() - FINDINGS));
                }
            }
            if failure.controllers.is_empty() {
                continue;
            }
            let undone = failure.controllers.iter().filter(|c| c.undo == "done").count();
            let undone = plural(undone, "controller", "controllers");
            line("dim", &format!("{}: undone on {undone}", side.side));
        }
        y
    }
}

/// Shortens a label to its end, which is more informative than its beginning.
fn shortened(label: &str) -> String {
    let length = label.chars().count();
    match length > LABEL {
        false => label.to_owned(),
        true => "…".chars().chain(label.chars().skip(length - LABEL + 1)).collect(),
    }
}

/// A time with three digits: `1.23 ms`.
fn time(nanoseconds: u64) -> String {
    let (number, unit) = match nanoseconds {
        0..1_000 => return format!("{nanoseconds} ns"),
        1_000..1_000_000 => (nanoseconds as f64 / 1e3, "µs"),
        1_000_000..1_000_000_000 => (nanoseconds as f64 / 1e6, "ms"),
        _ => (nanoseconds as f64 / 1e9, "s"),
    };
    let places = match number {
        ..10.0 => 2,
        10.0..100.0 => 1,
        _ => 0,
    };
    format!("{number:.places$} {unit}")
}
