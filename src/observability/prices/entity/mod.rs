pub mod model_prices;
pub mod repricings;
