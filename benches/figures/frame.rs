//! The cost of a frame against plain ratatui drawing the very same text from widgets that are made already; and what is
//! drawn when nothing changed.

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::Paragraph;
use ratatui::{TerminalOptions, Viewport};
use warroom::config::theme::Capabilities;
use warroom::domain::fact::Fact;

use warroom::tui::terminal::Canvas;
use warroom::tui::testing::press;
use warroom::tui::view::{self, RenderCache};
use warroom::tui::{Model, Msg, update};

use crate::clock::{alternate, median, timed};
use crate::stage::{answer_all, heavy_model};

/// A writer that only counts.
#[derive(Default)]
struct Count(usize);

impl std::io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Two states of the screen that are drawn in turns.
struct Scene {
    name: &'static str,
    goal: f64,
    keys: [&'static str; 2],
}

const SCENES: [Scene; 3] = [
    Scene { name: "nothing changed", goal: 2.0, keys: ["", ""] },
    Scene { name: "the cursor moved", goal: 2.0, keys: ["j", "k"] },
    Scene { name: "everything changed", goal: 2.0, keys: ["z", "z"] },
];

pub fn run() {
    for (width, height) in [(200, 50), (400, 100)] {
        let mut model = heavy_model(width, height);
        answer_all(&mut model);
        for scene in SCENES {
            compare(&mut model, &scene);
        }
    }
    silence();
}

fn compare(model: &mut Model, scene: &Scene) {
    let size = model.size;
    let mut cache = RenderCache::new(Capabilities::FULL);
    let mut canvas = Canvas::new(size);
    let area = Rect::new(0, 0, size.width, size.height);
    let options = TerminalOptions { viewport: Viewport::Fixed(area) };
    let mut plain = Terminal::with_options(CrosstermBackend::new(Count::default()), options).expect("a terminal");
    let texts: Vec<Paragraph<'static>> = scene
        .keys
        .map(|keys| {
            press(model, keys);
            let mut buffer = Buffer::empty(area);
            view::draw(model, &mut cache, &mut buffer);
            Paragraph::new(text(&buffer))
        })
        .into();
    let (mut at, mut turn) = (0, 0);
    let mut bytes = 0;
    let ours = || {
        press(model, scene.keys[at % 2]);
        at += 1;
        let (took, written) = timed(|| canvas.draw(|buffer| view::draw(model, &mut cache, buffer)).len());
        bytes = written;
        took
    };
    let base = || {
        let widget = &texts[turn % 2];
        turn += 1;
        timed(|| plain.draw(|frame| frame.render_widget(widget, frame.area())).map(|_| ())).0
    };
    let (ours, base) = alternate(300, ours, base);
    println!(
        "{}x{}, {:<18} {ours:.3} ms CPU a frame, plain ratatui {base:.3} ms, ratio {:.2} (goal {:.2}); {bytes} bytes",
        size.width,
        size.height,
        scene.name,
        ours / base,
        scene.goal,
    );
}

/// The buffer's text, its runs of equal style as spans.
fn text(buffer: &Buffer) -> Text<'static> {
    let area = buffer.area;
    let line = |y: u16| {
        let mut spans: Vec<Span<'static>> = Vec::new();
        let mut skip = 0;
        for x in 0..area.width {
            let cell = &buffer[(x, y)];
            if skip > 0 {
                skip -= 1;
                continue;
            }
            skip = unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1);
            match spans.last_mut() {
                Some(span) if span.style == cell.style() => span.content.to_mut().push_str(cell.symbol()),
                _ => spans.push(Span::styled(cell.symbol().to_owned(), cell.style())),
            }
        }
        Line::from(spans)
    };
    (0..area.height).map(line).collect::<Vec<_>>().into()
}

/// Facts that change nothing that can be seen ask for no frame.
fn silence() {
    let mut model = heavy_model(200, 50);
    answer_all(&mut model);
    let now = model.now;
    let health: Vec<_> = model.room.sources().values().cloned().collect();
    let (mut asked, mut told) = (0, 0);
    let mut costs = Vec::new();
    for round in 1..=200 {
        for known in &health {
            let mut next = known.clone();
            next.answered_at = Some(now + chrono::Duration::milliseconds(round));
            let at = now + chrono::Duration::milliseconds(round);
            let (cost, step) = timed(|| update(&mut model, Msg::Learned(Fact::HealthChanged(next)), at));
            costs.push(cost);
            told += 1;
            asked += usize::from(step.redraw);
        }
    }
    println!(
        "{told} polls that told nothing new asked for {asked} frames (goal 0); {:.1} us CPU each",
        median(costs) * 1000.0
    );
}
