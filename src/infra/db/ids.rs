//! Our ids as column values: 26 characters of text in the tables, their own types in the entities.

use sea_orm::sea_query::{ArrayType, ColumnType, Nullable, StringLen, ValueType, ValueTypeErr};
use sea_orm::{ColIdx, DbErr, IntoActiveValue, QueryResult, TryFromU64, TryGetError, TryGetable, Value};

use crate::common::id::{
    ApiKeyId, AuditId, InvitationId, JobId, MailId, MemberId, ModelPriceId, OrganizationId, ProjectId, RecoveryCodeId, RepricingId, RoleId,
    SessionId, SettingChangeId, SettingId, UserId, UserTokenId,
};

macro_rules! columns {
    ($($id:ident),+) => {$(
        impl From<$id> for Value {
            fn from(id: $id) -> Self {
                id.to_string().into()
            }
        }

        impl TryGetable for $id {
            fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
                let text = String::try_get_by(row, index)?;
                text.parse().map_err(|error: crate::common::id::InvalidId| TryGetError::DbErr(DbErr::Type(error.to_string())))
            }
        }

        impl ValueType for $id {
            fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
                <String as ValueType>::try_from(value)?.parse().map_err(|_| ValueTypeErr)
            }

            fn type_name() -> String {
                stringify!($id).to_owned()
            }

            fn array_type() -> ArrayType {
                ArrayType::String
            }

            fn column_type() -> ColumnType {
                ColumnType::String(StringLen::N(26))
            }
        }

        impl Nullable for $id {
            fn null() -> Value {
                <String as Nullable>::null()
            }
        }

        impl IntoActiveValue<$id> for $id {
            fn into_active_value(self) -> sea_orm::ActiveValue<$id> {
                sea_orm::ActiveValue::Set(self)
            }
        }

        impl TryFromU64 for $id {
            fn try_from_u64(_: u64) -> Result<Self, DbErr> {
                Err(DbErr::ConvertFromU64(stringify!($id)))
            }
        }
    )+};
}

columns!(
    UserId,
    OrganizationId,
    ProjectId,
    ApiKeyId,
    SessionId,
    MemberId,
    InvitationId,
    RoleId,
    UserTokenId,
    RecoveryCodeId,
    SettingId,
    SettingChangeId,
    AuditId,
    JobId,
    MailId,
    ModelPriceId,
    RepricingId
);
