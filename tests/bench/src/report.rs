//! The table: medians over the rounds, and the ratio pair by pair. The two runs of a pair follow each other, so that what
//! disturbs one likely disturbs both; the range over the pairs says how far to trust the ratio.

use crate::scenario::{Aim, Row};

/// Two runs that followed each other, each with one figure a row.
pub(crate) type Pair = [Vec<f64>; 2];

/// The figures of one scenario, a pair a round.
pub(crate) struct Section {
    pub(crate) title: String,
    pub(crate) rows: &'static [Row],
    pub(crate) pairs: Vec<Pair>,
}

const LABEL: usize = 46;
const COLUMN: usize = 11;

pub(crate) fn print(names: [&str; 2], sections: &[Section], disturbances: &[f64]) {
    let [first, second] = names;
    for section in sections {
        println!("\n{:LABEL$}{first:>COLUMN$}{second:>COLUMN$}   ratio (range)          aim", section.title);
        for (index, row) in section.rows.iter().enumerate() {
            let side = |side: usize| median(section.pairs.iter().map(|pair| pair[side][index]).collect());
            let ratios: Vec<f64> = section.pairs.iter().map(|pair| pair[1][index] / pair[0][index]).collect();
            let label = format!("  {}", row.label);
            let [left, right] = [side(0), side(1)];
            let (ratio, shown) = ratio(ratios);
            let aim = row.aim.map(|aim| verdict(aim, ratio, right)).unwrap_or_default();
            let line = format!("{label:LABEL$}{:>COLUMN$}{:>COLUMN$}   {shown:22} {aim}", figure(left), figure(right));
            println!("{}", line.trim_end());
        }
    }
    let worst = disturbances.iter().copied().fold(0.0, f64::max);
    let usual = median(disturbances.to_vec());
    println!("\nothers took {usual:.1} % of the server's core, {worst:.1} % in the worst run");
}

/// The median ratio, and how it is written: nothing where the first side's figure is too near to zero to divide by.
fn ratio(ratios: Vec<f64>) -> (f64, String) {
    if ratios.iter().any(|ratio| !ratio.is_finite() || *ratio <= 0.0) {
        return (f64::NAN, "-".into());
    }
    let low = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let high = ratios.iter().copied().fold(0.0, f64::max);
    let ratio = median(ratios);
    (ratio, format!("{ratio:5.2} ({low:.2} to {high:.2})"))
}

fn verdict(aim: Aim, ratio: f64, figure: f64) -> String {
    let (value, bound, text) = match aim {
        Aim::Ratio(bound) => (ratio, bound, format!("ratio <= {bound}")),
        Aim::Figure(bound) => (figure, bound, format!("<= {bound}")),
    };
    let kept = if value.is_nan() {
        "unknown"
    } else if value <= bound {
        "kept"
    } else {
        "MISSED"
    };
    format!("{text}: {kept}")
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    if figures.len() % 2 == 1 { figures[middle] } else { (figures[middle - 1] + figures[middle]) / 2.0 }
}

/// Three digits that mean something, which is all that the runs agree on.
fn figure(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        medium if medium >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert_eq!(median(vec![4.0, 1.0, 3.0]), 3.0);
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), 2.5);
    }

    #[test]
    fn a_ratio_to_nothing_is_no_ratio() {
        assert_eq!(ratio(vec![1.0, f64::INFINITY]).1, "-");
        assert_eq!(ratio(vec![f64::NAN]).1, "-");
        assert_eq!(ratio(vec![1.5, 1.0, 2.0]).1.trim(), "1.50 (1.00 to 2.00)");
    }

    #[test]
    fn an_aim_looks_at_the_ratio_or_at_the_figure() {
        assert_eq!(verdict(Aim::Ratio(1.5), 1.4, 99.0), "ratio <= 1.5: kept");
        assert_eq!(verdict(Aim::Ratio(1.5), 1.6, 0.0), "ratio <= 1.5: MISSED");
        assert_eq!(verdict(Aim::Ratio(1.5), f64::NAN, 0.0), "ratio <= 1.5: unknown");
        assert_eq!(verdict(Aim::Figure(12.0), 9.0, 11.0), "<= 12: kept");
    }
}
