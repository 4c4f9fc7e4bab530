//! The bus of the processes of an installation, carried over Redis' publish and subscribe.
//!
//! A process that was cut off cannot know what it missed, so its listeners are told that something was.

use std::time::Duration;

use deadpool_redis::redis::cmd;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::lifecycle::Lifecycle;
use crate::auth::{ApiKeys, Revoked, Sessions};
use crate::infra::bus::{Bus, Heard, Notice};
use crate::infra::redis::{Error, Redis};
use crate::observability::prices::PriceBook;
use crate::settings::Settings;

/// How long to wait before connecting again.
const PAUSE: Duration = Duration::from_millis(500);

/// A notice on its way, with the process it comes from: its own come back to it, too.
#[derive(Debug, Serialize, Deserialize)]
struct Carried {
    from: String,
    /// Missing: something was missed.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<Notice>,
}

fn channel(redis: &Redis) -> String {
    redis.key("bus")
}

/// Tells every running process, from one that is none of them.
///
/// # Errors
/// When Redis does not take it.
pub async fn tell_processes(redis: &Redis, notice: Notice) -> anyhow::Result<()> {
    let carried = Carried { from: String::new(), notice: Some(notice) };
    Ok(publish(redis, &channel(redis), &serde_json::to_string(&carried)?).await?)
}

/// Starts carrying what is said on `bus` to the other processes, and what they say to it.
pub(super) fn connect(redis: &Redis, bus: &Bus, lifecycle: &Lifecycle) {
    let me = crate::common::id::fresh().to_string();
    let (to, name, mut own, drained) = (redis.clone(), channel(redis), bus.outgoing(), lifecycle.drained_token());
    let from = me.clone();
    lifecycle.spawn("bus sender", async move {
        loop {
            let notice = tokio::select! {
                () = drained.cancelled() => return Ok(()),
                notice = own.recv() => notice,
            };
            let notice = match notice {
                Ok(notice) => Some(notice),
                Err(RecvError::Lagged(_)) => None,
                Err(RecvError::Closed) => {
                    drained.cancelled().await;
                    return Ok(());
                }
            };
            send(&to, &name, &Carried { from: from.clone(), notice }, &drained).await;
        }
    });
    let (redis, name, bus, drained) = (redis.clone(), channel(redis), bus.clone(), lifecycle.drained_token());
    lifecycle.spawn("bus listener", async move {
        while !drained.is_cancelled() {
            let heard = tokio::select! {
                () = drained.cancelled() => return Ok(()),
                heard = listen(&redis, &name, &me, &bus) => heard,
            };
            tracing::warn!(error = heard.err().map(|error| error.to_string()), "not listening to the other processes; connecting again");
            tokio::select! { () = drained.cancelled() => return Ok(()), () = tokio::time::sleep(PAUSE) => {} }
        }
        Ok(())
    });
}

/// Starts taking in what is revoked, here or elsewhere.
pub(super) fn apply_revocations(bus: &Bus, keys: &ApiKeys, sessions: &Sessions, lifecycle: &Lifecycle) {
    let (mut listener, keys, sessions, drained) = (bus.listen(), keys.clone(), sessions.clone(), lifecycle.drained_token());
    lifecycle.spawn("revocations", async move {
        while let Some(heard) = drained.run_until_cancelled(listener.next()).await.flatten() {
            if let Some(revoked) = Revoked::of(&heard) {
                keys.apply(&revoked).await;
                sessions.apply(&revoked).await;
            }
        }
        drained.cancelled().await;
        Ok(())
    });
}

/// Starts taking in what settings are changed, here or elsewhere.
pub(super) fn apply_settings(bus: &Bus, settings: &Settings, lifecycle: &Lifecycle) {
    let (mut listener, settings, drained) = (bus.listen(), settings.clone(), lifecycle.drained_token());
    lifecycle.spawn("settings", async move {
        while let Some(heard) = drained.run_until_cancelled(listener.next()).await.flatten() {
            settings.apply(&heard).await;
        }
        drained.cancelled().await;
        Ok(())
    });
}

/// Starts taking in what prices are changed, here or elsewhere.
pub(super) fn apply_prices(bus: &Bus, prices: &PriceBook, lifecycle: &Lifecycle) {
    let (mut listener, prices, drained) = (bus.listen(), prices.clone(), lifecycle.drained_token());
    lifecycle.spawn("prices", async move {
        while let Some(heard) = drained.run_until_cancelled(listener.next()).await.flatten() {
            prices.apply(&heard).await;
        }
        drained.cancelled().await;
        Ok(())
    });
}

async fn send(redis: &Redis, channel: &str, carried: &Carried, drained: &CancellationToken) {
    let Ok(message) = serde_json::to_string(carried) else { return };
    while let Err(error) = publish(redis, channel, &message).await {
        tracing::warn!(error = %error, "cannot tell the other processes; trying again");
        tokio::select! { () = drained.cancelled() => return, () = tokio::time::sleep(PAUSE) => {} }
    }
}

async fn publish(redis: &Redis, channel: &str, message: &str) -> Result<(), Error> {
    let mut connection = redis.connection().await?;
    cmd("PUBLISH").arg(channel).arg(message).query_async::<i64>(&mut *connection).await?;
    Ok(())
}

async fn listen(redis: &Redis, channel: &str, me: &str, bus: &Bus) -> Result<(), Error> {
    let mut subscription = redis.subscription().await?;
    subscription.subscribe(channel).await?;
    bus.deliver(Heard::Missed);
    let mut messages = subscription.on_message();
    while let Some(message) = messages.next().await {
        let text: String = message.get_payload()?;
        match serde_json::from_str::<Carried>(&text) {
            Ok(carried) if carried.from == me => {}
            Ok(Carried { notice: Some(notice), .. }) => bus.deliver(Heard::Notice(notice)),
            Ok(_) | Err(_) => bus.deliver(Heard::Missed),
        }
    }
    Ok(())
}
