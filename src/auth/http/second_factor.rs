//! `/api/v1/auth/second-factor…`: turning the second factor on and off.

use actix_web::{get, post, web};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Done;
use super::login::proof;
use crate::auth::{SecondFactorSetup, SecondFactorView, SecondFactors};
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::{Json, SignedIn};

/// Whether I have a second factor.
#[utoipa::path(
    operation_id = "getSecondFactor",
    tag = "auth",
    security(("access_token" = [])),
    responses((status = 200, body = Envelope<SecondFactorView>), (status = 401, body = ErrorEnvelope))
)]
#[get("/api/v1/auth/second-factor")]
pub async fn get_second_factor(caller: SignedIn, factors: web::Data<SecondFactors>) -> Result<Answer<SecondFactorView>, ApiError> {
    Ok(Answer::ok(factors.view(caller.user_id).await?))
}

/// My password, once more.
#[derive(Deserialize, ToSchema, Validate)]
pub struct SetUpSecondFactor {
    #[garde(length(chars, min = 1, max = 512))]
    password: String,
}

/// Makes a secret for an authenticator app. It counts once a code of it was seen.
#[utoipa::path(
    operation_id = "setUpSecondFactor",
    tag = "auth",
    security(("access_token" = [])),
    request_body = SetUpSecondFactor,
    responses(
        (status = 200, body = Envelope<SecondFactorSetup>),
        (status = 400, body = ErrorEnvelope, description = "the password is wrong"),
        (status = 401, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope, description = "it is on already"),
        (status = 503, body = ErrorEnvelope, description = "the installation has no AI_KEY_ENCRYPTION_KEY")
    )
)]
#[post("/api/v1/auth/second-factor/setup")]
pub async fn set_up_second_factor(
    caller: SignedIn,
    body: Json<SetUpSecondFactor>,
    origin: Origin,
    factors: web::Data<SecondFactors>,
) -> Result<Answer<SecondFactorSetup>, ApiError> {
    Ok(Answer::ok(factors.set_up(&caller, &body.password, &origin).await?))
}

/// A code of the secret that was made.
#[derive(Deserialize, ToSchema, Validate)]
pub struct EnableSecondFactor {
    #[garde(length(chars, min = 1, max = 32))]
    code: String,
}

/// Codes that each let one in once without the device.
#[derive(Serialize, ToSchema)]
pub struct RecoveryCodes {
    /// Shown this once.
    recovery_codes: Vec<String>,
}

/// Turns the second factor on.
#[utoipa::path(
    operation_id = "enableSecondFactor",
    tag = "auth",
    security(("access_token" = [])),
    request_body = EnableSecondFactor,
    responses(
        (status = 200, body = Envelope<RecoveryCodes>),
        (status = 400, body = ErrorEnvelope, description = "the code is wrong"),
        (status = 401, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope, description = "it is on already, or was not set up")
    )
)]
#[post("/api/v1/auth/second-factor/enable")]
pub async fn enable_second_factor(
    caller: SignedIn,
    body: Json<EnableSecondFactor>,
    origin: Origin,
    factors: web::Data<SecondFactors>,
) -> Result<Answer<RecoveryCodes>, ApiError> {
    Ok(Answer::ok(RecoveryCodes { recovery_codes: factors.enable(&caller, &body.code, &origin).await? }))
}

/// My password, and one of `code` and `recovery_code`.
#[derive(Deserialize, ToSchema, Validate)]
pub struct DisableSecondFactor {
    #[garde(length(chars, min = 1, max = 512))]
    password: String,
    #[garde(inner(length(chars, min = 1, max = 32)))]
    code: Option<String>,
    #[garde(inner(length(chars, min = 1, max = 64)))]
    recovery_code: Option<String>,
}

/// Turns the second factor off.
#[utoipa::path(
    operation_id = "disableSecondFactor",
    tag = "auth",
    security(("access_token" = [])),
    request_body = DisableSecondFactor,
    responses(
        (status = 200, body = Envelope<Done>),
        (status = 400, body = ErrorEnvelope, description = "the password or the code is wrong"),
        (status = 401, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope, description = "it is off")
    )
)]
#[post("/api/v1/auth/second-factor/disable")]
pub async fn disable_second_factor(
    caller: SignedIn,
    body: Json<DisableSecondFactor>,
    origin: Origin,
    factors: web::Data<SecondFactors>,
) -> Result<Answer<Done>, ApiError> {
    let DisableSecondFactor { password, code, recovery_code } = body.into_inner();
    factors.disable(&caller, &password, &proof(code, recovery_code)?, &origin).await?;
    Ok(Answer::ok(Done {}))
}

/// My password and a code.
#[derive(Deserialize, ToSchema, Validate)]
pub struct ReplaceRecoveryCodes {
    #[garde(length(chars, min = 1, max = 512))]
    password: String,
    #[garde(length(chars, min = 1, max = 32))]
    code: String,
}

/// Makes new recovery codes; the old ones are worth nothing then.
#[utoipa::path(
    operation_id = "replaceRecoveryCodes",
    tag = "auth",
    security(("access_token" = [])),
    request_body = ReplaceRecoveryCodes,
    responses(
        (status = 200, body = Envelope<RecoveryCodes>),
        (status = 400, body = ErrorEnvelope, description = "the password or the code is wrong"),
        (status = 401, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope, description = "it is off")
    )
)]
#[post("/api/v1/auth/second-factor/recovery-codes")]
pub async fn replace_recovery_codes(
    caller: SignedIn,
    body: Json<ReplaceRecoveryCodes>,
    origin: Origin,
    factors: web::Data<SecondFactors>,
) -> Result<Answer<RecoveryCodes>, ApiError> {
    let recovery_codes = factors.replace_codes(&caller, &body.password, &body.code, &origin).await?;
    Ok(Answer::ok(RecoveryCodes { recovery_codes }))
}
