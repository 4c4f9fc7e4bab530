//! Amounts of money as whole numbers of 10^-12 US dollars, which is what `Decimal(18, 12)` stores.

use rust_decimal::{Decimal, RoundingStrategy};

/// 10^-12 US dollars.
pub type Money = i64;

/// Decimal places of a stored amount.
const PLACES: u32 = 12;
/// Amounts reach up to, and not including, a million dollars: more does not fit `Decimal(18, 12)`.
pub const MONEY_LIMIT: Money = 1_000_000_000_000_000_000;

/// Reads an amount of US dollars such as `0.0025` or `1.5e-5`, rounded half away from zero to 12 places.
///
/// `None` for what is no number, is negative, or is a million dollars or more.
#[must_use]
pub fn parse_money(text: &str) -> Option<Money> {
    let amount = if text.contains(['e', 'E']) { Decimal::from_scientific(text).ok()? } else { text.parse::<Decimal>().ok()? };
    if amount.is_sign_negative() && !amount.is_zero() {
        return None;
    }
    let amount = amount.round_dp_with_strategy(PLACES, RoundingStrategy::MidpointAwayFromZero);
    let factor = 10_i128.checked_pow(PLACES.checked_sub(amount.scale())?)?;
    let units = amount.mantissa().checked_mul(factor)?;
    i64::try_from(units).ok().filter(|units| *units < MONEY_LIMIT)
}

/// The price of `tokens` at `per_million` (10^-12 US dollars for a million), rounded half up; `None` beyond the limit.
#[must_use]
pub fn price_of(tokens: u64, per_million: Money) -> Option<Money> {
    const MILLION: i128 = 1_000_000;
    let exact = i128::from(tokens).checked_mul(i128::from(per_million))?;
    let rounded = exact.checked_add(MILLION / 2)?.checked_div(MILLION)?;
    i64::try_from(rounded).ok().filter(|amount| *amount < MONEY_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_to_twelve_places() {
        for (text, units) in [
            ("0", 0),
            ("-0.0", 0),
            ("1", 1_000_000_000_000),
            ("0.000000000001", 1),
            ("0.0000000000005", 1),
            ("0.00000000000049", 0),
            ("1.5e-5", 15_000_000),
            ("2E-12", 2),
            ("999999.999999999999", MONEY_LIMIT - 1),
            ("0.0024999999999999998", 2_500_000_000),
        ] {
            assert_eq!(parse_money(text), Some(units), "{text}");
        }
        for text in ["", "-1", "NaN", "Infinity", "1000000", "1e40", "1e-400x", "$1", "1,5"] {
            assert_eq!(parse_money(text), None, "{text}");
        }
    }

    #[test]
    fn prices_round_half_up_and_never_wrap() {
        let dollars = |amount: &str| parse_money(amount).unwrap();
        assert_eq!(price_of(1_000_000, dollars("2.5")), Some(dollars("2.5")));
        assert_eq!(price_of(1, dollars("0.15")), Some(150_000));
        assert_eq!(price_of(1, 1), Some(0));
        assert_eq!(price_of(1, 500_000), Some(1));
        assert_eq!(price_of(u64::MAX, dollars("600")), None);
        assert_eq!(price_of(u64::MAX, i64::MAX), None);
    }
}
