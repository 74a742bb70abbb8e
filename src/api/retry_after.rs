//! How long a response asks to wait before the next request.

use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

use super::clock::parse_http_date;

/// The time in `Retry-After`, given as seconds or as a date; a date that has passed is no time at all. A date is
/// compared with the server's own clock where the response shows it.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = header_text(headers, &RETRY_AFTER)?;
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = parse_http_date(text)?;
    let now = header_text(headers, &DATE).and_then(parse_http_date);
    let now = now.unwrap_or_else(jiff::Timestamp::now);
    let milliseconds = until.as_millisecond().saturating_sub(now.as_millisecond());
    Some(Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0)))
}

fn header_text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(retry: &str, date: Option<&str>, expected: Option<u64>) {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        assert_eq!(retry_after(&headers), expected.map(Duration::from_secs), "{retry}");
    }

    #[test]
    fn a_wait_is_given_in_seconds_or_as_a_date_of_the_servers_clock() {
        let now = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        check(" 7 ", now, Some(7));
        check("Sun, 06 Nov 1994 08:50:07 GMT", now, Some(30));
        check("Sun, 06 Nov 1994 08:00:00 GMT", now, Some(0));
        check("Sun, 06 Nov 1994 08:50:07 GMT", None, Some(0));
        check("soon", now, None);
        check("-1", now, None);
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
