//! What one server takes back, every server forgets: revocations over Redis' publish and subscribe.
//!
//! A server that was cut off cannot know what it missed, so it forgets everything it keeps in memory when it is back.

use std::time::Duration;

use deadpool_redis::redis::cmd;
use futures_util::StreamExt;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::lifecycle::Lifecycle;
use crate::auth::{ApiKeys, Revocations, Revoked, Sessions};
use crate::infra::redis::{Error, Redis};

/// Where revocations are published.
fn channel(redis: &Redis) -> String {
    redis.key("revocations")
}

/// Tells every running server, from a process that is none.
///
/// # Errors
/// When Redis does not take it.
pub async fn tell_servers(redis: &Redis, revoked: &Revoked) -> anyhow::Result<()> {
    Ok(publish(redis, &channel(redis), &serde_json::to_string(revoked)?).await?)
}

/// Starts passing revocations on, and taking in those of others.
pub(super) fn connect(redis: &Redis, revocations: &Revocations, api_keys: &ApiKeys, sessions: &Sessions, lifecycle: &Lifecycle) {
    let channel = channel(redis);
    let (to, name, mut own, drained) = (redis.clone(), channel.clone(), revocations.subscribe(), lifecycle.drained_token());
    lifecycle.spawn("revocation sender", async move {
        loop {
            let revoked = tokio::select! {
                () = drained.cancelled() => return Ok(()),
                revoked = own.recv() => revoked,
            };
            match revoked {
                Ok(revoked) => send(&to, &name, &revoked, &drained).await,
                Err(RecvError::Lagged(_)) => send(&to, &name, &Revoked::Everything, &drained).await,
                Err(RecvError::Closed) => {
                    drained.cancelled().await;
                    return Ok(());
                }
            }
        }
    });
    let (from, keys, sessions, drained) = (redis.clone(), api_keys.clone(), sessions.clone(), lifecycle.drained_token());
    lifecycle.spawn("revocation listener", async move {
        while !drained.is_cancelled() {
            let heard = tokio::select! {
                () = drained.cancelled() => return Ok(()),
                heard = listen(&from, &channel, &keys, &sessions) => heard,
            };
            tracing::warn!(error = heard.err().map(|error| error.to_string()), "not listening for revocations; connecting again");
            tokio::select! { () = drained.cancelled() => return Ok(()), () = tokio::time::sleep(Duration::from_millis(500)) => {} }
        }
        Ok(())
    });
}

async fn send(redis: &Redis, channel: &str, revoked: &Revoked, drained: &CancellationToken) {
    let Ok(message) = serde_json::to_string(revoked) else { return };
    while let Err(error) = publish(redis, channel, &message).await {
        tracing::warn!(error = %error, "cannot tell the other servers of a revocation; trying again");
        tokio::select! { () = drained.cancelled() => return, () = tokio::time::sleep(Duration::from_millis(500)) => {} }
    }
}

async fn publish(redis: &Redis, channel: &str, message: &str) -> Result<(), Error> {
    let mut connection = redis.connection().await?;
    cmd("PUBLISH").arg(channel).arg(message).query_async::<i64>(&mut *connection).await?;
    Ok(())
}

async fn listen(redis: &Redis, channel: &str, keys: &ApiKeys, sessions: &Sessions) -> Result<(), Error> {
    let mut subscription = redis.subscription().await?;
    subscription.subscribe(channel).await?;
    apply(&Revoked::Everything, keys, sessions).await;
    let mut messages = subscription.on_message();
    while let Some(message) = messages.next().await {
        let text: String = message.get_payload()?;
        match serde_json::from_str(&text) {
            Ok(revoked) => apply(&revoked, keys, sessions).await,
            // A newer server may say things this one does not know.
            Err(_) => apply(&Revoked::Everything, keys, sessions).await,
        }
    }
    Ok(())
}

async fn apply(revoked: &Revoked, keys: &ApiKeys, sessions: &Sessions) {
    keys.apply(revoked).await;
    sessions.apply(revoked).await;
}
