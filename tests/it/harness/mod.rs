//! A running Brokle for a test, in this process or in processes of its own.

mod app;
mod installation;
mod load;
mod otlp;
mod process;
mod proxy;
mod services;

pub use app::{API_KEY, EMAIL, JWT_SECRET, PASSWORD, Setup, TestApp};
pub use installation::{Api, Installation, Running, START, STOP, log_in};
pub use load::{Acknowledged, Chance, Load, generation, one_span, verify};
pub use otlp::{Spans, attribute, now_ns, request, span};
pub use process::Process;
pub use proxy::Proxy;
pub use services::{Services, environment_variable, scratch_dir};

/// Runs a test body on both set-ups: standalone, and server + worker over Postgres, Redis and ClickHouse.
#[macro_export]
macro_rules! on_both {
    ($($(#[$attribute:meta])* async fn $name:ident($app:ident) $body:block)+) => {
        mod standalone {
            #[expect(unused_imports, reason = "shared by all bodies")]
            use super::*;
            $($(#[$attribute])* #[tokio::test(flavor = "multi_thread")] async fn $name() { let $app = $crate::harness::TestApp::start($crate::harness::Setup::Standalone).await; super::$name(&$app).await; $app.stop().await; })+
        }
        mod split {
            #[expect(unused_imports, reason = "shared by all bodies")]
            use super::*;
            $($(#[$attribute])* #[tokio::test(flavor = "multi_thread")] async fn $name() { let $app = $crate::harness::TestApp::start($crate::harness::Setup::Split).await; super::$name(&$app).await; $app.stop().await; })+
        }
        $(async fn $name($app: &$crate::harness::TestApp) $body)+
    };
}
