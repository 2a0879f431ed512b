//! The part of the inventory about SQL Server.
//!
//! As in the file above, a doc comment is what an author sees while typing. This module must not know YAML or positions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// SQL Server.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sql {
    /// Release of SQL Server.
    #[schemars(example = 2016)]
    #[schemars(extend("enum" = [2012, 2016, 2017], "x-note" = "the vendor guide ends with SQL Server 2017"))]
    pub version: u16,
    /// Server, optionally with an instance (`SQL01\CALLBACK`) or a port (`SQL01,1433`).
    #[schemars(example = &r"SQL01\CALLBACK")]
    #[schemars(length(min = 1, max = 200), extend("format" = "cbgen-sql-server"))]
    pub server: String,
    /// ODBC driver name, exactly as in the ODBC administrator.
    #[serde(default = "default_driver")]
    #[schemars(length(min = 1, max = 100))]
    pub driver: String,
    /// How Callback reaches the database; `ole` needs `odbc` beside it (PRE-12).
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    #[schemars(example = serde_json::json!(["odbc"]))]
    pub access: Vec<SqlAccess>,
    /// Required when `access` has `ole`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ole: Option<Ole>,
    /// Configuration database.
    #[serde(default = "default_config_database")]
    #[schemars(length(min = 1, max = 128))]
    pub config_database: String,
    /// Reporting database.
    #[serde(default = "default_report_database")]
    #[schemars(length(min = 1, max = 128))]
    pub report_database: String,
    /// Table and column names the guide does not give; the defaults are assumptions (DEF-67).
    #[serde(default)]
    pub names: SqlNames,
}

fn default_driver() -> String {
    "SQL Server Native Client 11.0".into()
}

fn default_config_database() -> String {
    "VHT_Config".into()
}

fn default_report_database() -> String {
    "VHT_RPT".into()
}

/// A way to reach the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SqlAccess {
    /// Open Database Connectivity.
    Odbc,
    /// Object Linking and Embedding, Database.
    Ole,
}

/// The OLE DB connection string of the reporting database.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ole {
    /// OLE DB provider; not an ODBC driver name (DEF-68).
    #[serde(default = "default_provider")]
    #[schemars(length(min = 1, max = 100))]
    pub provider: String,
    /// How Callback logs in.
    #[schemars(example = &"windows")]
    pub authentication: SqlAuthentication,
    /// SQL login, for `authentication: sql` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    #[schemars(example = &"callback_report")]
    pub user: Option<String>,
    /// Name of the secret the engineer supplies at apply time, for `authentication: sql` only. A literal is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretReference>,
    /// Whether the connection string asks for encryption (DEF-106).
    #[serde(default)]
    pub encrypt: bool,
}

fn default_provider() -> String {
    "SQLNCLI11".into()
}

/// How Callback logs in to SQL Server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SqlAuthentication {
    /// With the Windows account of the service.
    Windows,
    /// With a SQL login.
    Sql,
}

/// The name of a secret. The value never enters cbgen or a bundle.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretReference {
    /// Name of the environment variable the engineer sets at apply time.
    #[schemars(
        length(min = 1, max = 64),
        regex(pattern = r"^[A-Z][A-Z0-9_]*$"),
        extend("format" = "cbgen-secret-name")
    )]
    #[schemars(example = &"CALLBACK_REPORT_PASSWORD")]
    pub secret: String,
}

/// Names in the configuration database.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlNames {
    /// The table of web service paths.
    #[serde(default)]
    pub ws_configuration: WsConfigurationNames,
    /// The table of application settings.
    #[serde(default)]
    pub application_settings: ApplicationSettingsNames,
}

/// Names in the table of web service paths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WsConfigurationNames {
    /// Schema and table.
    #[schemars(extend("format" = "cbgen-sql-table"))]
    pub table: String,
    /// Column of the path.
    #[schemars(length(min = 1, max = 128))]
    pub path_column: String,
}

impl Default for WsConfigurationNames {
    fn default() -> Self {
        Self {
            table: "dbo.WSConfiguration".into(),
            path_column: "WSPath".into(),
        }
    }
}

/// Names in the table of application settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ApplicationSettingsNames {
    /// Schema and table.
    #[schemars(extend("format" = "cbgen-sql-table"))]
    pub table: String,
    /// Column of the setting's name.
    #[schemars(length(min = 1, max = 128))]
    pub name_column: String,
    /// Column of the setting's value.
    #[schemars(length(min = 1, max = 128))]
    pub value_column: String,
}

impl Default for ApplicationSettingsNames {
    fn default() -> Self {
        Self {
            table: "dbo.ApplicationSettings".into(),
            name_column: "Name".into(),
            value_column: "Value".into(),
        }
    }
}
