//! `--sample`: a few rows of every action, to be applied first.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::ImportError;
use crate::run::{ImportStore, RowAction};

/// Decisions read per batch.
const LOT: usize = 1_000;

/// Selects a sample of rows: the first ones of each action, in proportion to its share, but at least one.
pub(super) fn choose_sample_rows(
    rows: &ImportStore,
    size: u64,
) -> Result<BTreeSet<u64>, ImportError> {
    let mut actions: BTreeMap<RowAction, Vec<u64>> = BTreeMap::new();
    let (mut after, mut all) = (0, 0);
    loop {
        let lot = rows.decisions_after(after, LOT)?;
        let Some((last, _)) = lot.last() else { break };
        after = *last;
        for (n, decision) in lot.into_iter().filter(|(_, it)| it.changes.is_some()) {
            all += 1;
            actions.entry(decision.action).or_default().push(n);
        }
    }
    let mut chosen = BTreeSet::new();
    for rows in actions.values() {
        let share = (rows.len() as u64 * size).div_ceil(all.max(1)).max(1);
        chosen.extend(rows.iter().take(usize::try_from(share).unwrap_or(usize::MAX)));
    }
    add_rows_before(rows, &mut chosen)?;
    Ok(chosen)
}

/// Adds the rows that must be written before chosen ones.
fn add_rows_before(rows: &ImportStore, chosen: &mut BTreeSet<u64>) -> Result<(), ImportError> {
    let mut before = HashMap::<u64, Vec<u64>>::new();
    for (first, n) in rows.rows_written_before()? {
        before.entry(n).or_default().push(first);
    }
    let mut open: Vec<u64> = chosen.iter().copied().collect();
    while let Some(n) = open.pop() {
        let needed = before.get(&n).into_iter().flatten().copied();
        open.extend(needed.filter(|first| chosen.insert(*first)));
    }
    Ok(())
}
