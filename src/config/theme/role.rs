//! The closed list of roles: everything that can look like something.

macro_rules! roles {
    ($($(#[$doc:meta])* $variant:ident = $word:literal,)*) => {
        /// What a piece of the screen is; a theme says how that looks.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Role {
            $($(#[$doc])* $variant,)*
        }

        impl Role {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in theme files.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The role of that name.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

roles! {
    /// The screen itself.
    Background = "background",
    /// Text.
    Text = "text",
    /// Text that matters less.
    TextDim = "text.dim",
    /// Text that matters more.
    TextStrong = "text.strong",
    /// The one accent: what is chosen, what a key does.
    Accent = "accent",
    /// The selected row of the focused pane.
    Selection = "selection",
    /// The selected row of another pane.
    SelectionIdle = "selection.idle",
    /// A marked row.
    Mark = "mark",
    /// Letters that a filter found.
    Match = "match",
    /// What has come since one looked.
    New = "new",
    /// An address that can be opened.
    Link = "link",
    /// Frame of a pane.
    Border = "border",
    /// Frame of the pane that has the keys.
    FocusBorder = "focus.border",
    /// Title of a pane.
    Title = "title",
    /// Title of the pane that has the keys.
    FocusTitle = "focus.title",
    /// Column heads and section heads.
    Heading = "heading",
    /// The header line.
    Header = "header",
    /// The room's name.
    HeaderName = "header.name",
    /// Inside of a popup.
    Popup = "popup",
    /// Frame of a popup.
    PopupBorder = "popup.border",
    /// What lies behind an open overlay.
    Veil = "veil",
    /// Text being typed.
    Input = "input",
    /// Where the next letter goes.
    Cursor = "cursor",
    /// The part of the scroll bar that shows where one is.
    Scroll = "scroll",
    /// Severity.
    SeverityCritical = "severity.critical",
    /// Severity.
    SeverityHigh = "severity.high",
    /// Severity.
    SeverityMedium = "severity.medium",
    /// Severity.
    SeverityLow = "severity.low",
    /// Status.
    StatusTriggered = "status.triggered",
    /// Status.
    StatusAcknowledged = "status.acknowledged",
    /// Status.
    StatusResolved = "status.resolved",
    /// Silenced or inhibited.
    StatusSuppressed = "status.suppressed",
    /// Freshness.
    Fresh = "freshness.fresh",
    /// Freshness.
    Ageing = "freshness.ageing",
    /// Freshness.
    Stale = "freshness.stale",
    /// Freshness.
    Unknown = "freshness.unknown",
    /// Freshness.
    Forbidden = "freshness.forbidden",
    /// Freshness.
    Empty = "freshness.empty",
    /// A running clock with time left.
    ClockOk = "clock.ok",
    /// A running clock with less than a quarter left.
    ClockSoon = "clock.soon",
    /// A running clock past its end.
    ClockOverdue = "clock.overdue",
    /// Delivery of an action.
    DeliveryQueued = "delivery.queued",
    /// Delivery of an action.
    DeliverySent = "delivery.sent",
    /// Delivery of an action.
    DeliveryConfirmed = "delivery.confirmed",
    /// Delivery of an action.
    DeliveryFailed = "delivery.failed",
    /// Delivery of an action.
    DeliveryUnknown = "delivery.unknown",
    /// State of a value.
    ThresholdGood = "threshold.good",
    /// State of a value.
    ThresholdWarning = "threshold.warning",
    /// State of a value.
    ThresholdBad = "threshold.bad",
    /// First line of a chart.
    Series1 = "series.1",
    /// Next line.
    Series2 = "series.2",
    /// Next line.
    Series3 = "series.3",
    /// Next line.
    Series4 = "series.4",
    /// Next line.
    Series5 = "series.5",
    /// Next line.
    Series6 = "series.6",
    /// Next line.
    Series7 = "series.7",
    /// Next line.
    Series8 = "series.8",
    /// Axis and its numbers.
    ChartAxis = "chart.axis",
    /// Lines behind the data.
    ChartGrid = "chart.grid",
    /// The incident's marks on a chart.
    ChartMarker = "chart.marker",
    /// What the gate neutralised: `‹U+202E›`.
    GateMark = "gate.mark",
    /// `DEMO`.
    BannerDemo = "banner.demo",
    /// `DRILL`.
    BannerDrill = "banner.drill",
    /// `READ-ONLY`.
    BannerReadOnly = "banner.read_only",
    /// A broken file of ours.
    BannerWarning = "banner.warning",
    /// Something that must be seen.
    BannerError = "banner.error",
    /// A notice.
    ToastInfo = "toast.info",
    /// A notice.
    ToastDone = "toast.done",
    /// A notice.
    ToastWarning = "toast.warning",
    /// A notice.
    ToastError = "toast.error",
    /// A key.
    KeyHint = "key.hint",
    /// What the key does.
    KeyLabel = "key.label",
    /// A key that asks before it acts.
    KeyDanger = "key.danger",
    /// A ticked step.
    StepDone = "step.done",
    /// An automated step.
    StepAuto = "step.auto",
}

impl Role {
    /// The lines of a chart, in order.
    pub const SERIES: [Self; 8] = [
        Self::Series1,
        Self::Series2,
        Self::Series3,
        Self::Series4,
        Self::Series5,
        Self::Series6,
        Self::Series7,
        Self::Series8,
    ];

    /// Whether it is read as text on the plain background, so that its contrast must reach 4.5:1.
    #[must_use]
    pub fn is_text(self) -> bool {
        !matches!(
            self,
            Self::Background
                | Self::Selection
                | Self::SelectionIdle
                | Self::Border
                | Self::FocusBorder
                | Self::PopupBorder
                | Self::Popup
                | Self::Veil
                | Self::Header
                | Self::Input
                | Self::Cursor
                | Self::Scroll
                | Self::ChartGrid
        )
    }
}
