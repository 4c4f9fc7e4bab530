//! Money as whole 10^-12 US dollars: exact in BIGINT columns and in ClickHouse's `Decimal(_, 12)`.

use rust_decimal::Decimal;

/// Digits after the point.
pub const SCALE: u32 = 12;

/// A decimal text for an amount of 10^-12 dollars, without trailing zeros: `0.0123`, `0`, `-1.5`.
#[must_use]
pub fn to_text(amount: i128) -> String {
    Decimal::try_from_i128_with_scale(amount, SCALE).map_or_else(
        |_| {
            let (sign, magnitude) = if amount < 0 { ("-", amount.unsigned_abs()) } else { ("", amount.unsigned_abs()) };
            let unit = 10_u128.pow(SCALE);
            format!("{sign}{}.{:012}", magnitude / unit, magnitude % unit)
        },
        |decimal| decimal.normalize().to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::to_text;

    #[test]
    fn writes_amounts_exactly() {
        assert_eq!(to_text(12_300_000_000), "0.0123");
        assert_eq!(to_text(0), "0");
        assert_eq!(to_text(1), "0.000000000001");
        assert_eq!(to_text(-1_500_000_000_000), "-1.5");
        assert_eq!(to_text(i128::MAX), "170141183460469231731687303.715884105727");
    }
}
