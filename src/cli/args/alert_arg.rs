//! How much of a change between two backups counts as unusual.

/// What can change unusually.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AlertKind {
    /// Records are deleted.
    Deleted,
    /// Contacts change.
    Changed,
    /// Contacts lose the value of a field.
    FieldEmptied,
}

impl AlertKind {
    const ALL: [Self; 3] = [Self::Deleted, Self::Changed, Self::FieldEmptied];

    fn name(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Changed => "changed",
            Self::FieldEmptied => "field-emptied",
        }
    }
}

/// From which share on a change is unusual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AlertArg {
    pub(crate) what: AlertKind,
    /// In hundredths of a percent.
    pub(crate) limit: u64,
}

/// As it is typed.
impl std::fmt::Display for AlertArg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}.{:02}%", self.what.name(), self.limit / 100, self.limit % 100)
    }
}

/// Parses `deleted=2%`.
pub(crate) fn parse_alert(text: &str) -> Result<AlertArg, String> {
    let wrong =
        || "not a share such as `deleted=2%`, `changed=20%` or `field-emptied=20%`".to_owned();
    let (name, share) = text.split_once('=').ok_or_else(wrong)?;
    let name = name.trim().replace('_', "-");
    let what = AlertKind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(wrong)?;
    let percent = share.strip_suffix('%').map(str::trim).ok_or_else(wrong)?;
    let (whole, fraction) = percent.split_once('.').unwrap_or((percent, ""));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if whole.is_empty() || fraction.len() > 2 || !digits(whole) || !digits(fraction) {
        return Err(wrong());
    }
    let limit: u64 = format!("{whole}{fraction:0<2}").parse().map_err(|_| wrong())?;
    if limit > 10_000 {
        return Err(wrong());
    }
    Ok(AlertArg { what, limit })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_at_most_two_decimals_and_are_typed_as_they_are_shown() {
        for (text, limit) in
            [("deleted=2%", 200), ("field_emptied=0.5%", 50), ("changed=100%", 10_000)]
        {
            let alert = parse_alert(text).unwrap();
            assert_eq!(alert.limit, limit, "{text}");
            assert_eq!(parse_alert(&alert.to_string()).unwrap(), alert);
        }
        for wrong in [
            "",
            "deleted",
            "deleted=2",
            "other=2%",
            "changed=101%",
            "changed=-1%",
            "changed=1.234%",
            "changed=%",
        ] {
            assert!(parse_alert(wrong).is_err(), "{wrong}");
        }
    }
}
