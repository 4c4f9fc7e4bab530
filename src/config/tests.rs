use super::*;

const SERVER: [(&str, &str); 5] = [
    ("APP_MODE", "server"),
    ("JWT_SECRET", "0123456789abcdef0123456789abcdef"),
    ("DATABASE_URL", "postgres://u:p@localhost/brokle"),
    ("CLICKHOUSE_URL", "http://localhost:8123"),
    ("REDIS_URL", "redis://localhost"),
];

fn problems(environment: &Environment) -> String {
    Config::load(environment).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn nothing_set_is_standalone_on_loopback() {
    let config = Config::load(&Environment::default()).unwrap();
    assert_eq!(config.role, Role::Standalone);
    assert_eq!((config.server.host.as_str(), config.server.port), ("127.0.0.1", 8080));
    assert_eq!(config.app_url(), "http://localhost:8080");
}

#[test]
fn a_wrong_role_is_named_and_explained() {
    let text = problems(&Environment::from([("APP_MODE", "serve")]));
    assert!(text.contains("`serve`") && text.contains("server") && text.contains("worker") && text.contains("standalone"), "{text}");
}

#[test]
fn all_problems_come_at_once() {
    let text = problems(&Environment::from([("APP_MODE", "server"), ("PORT", "high"), ("LOG_FORMAT", "xml"), ("RETENTION_DAYS", "0")]));
    for name in ["JWT_SECRET", "DATABASE_URL", "CLICKHOUSE_URL", "REDIS_URL", "LOG_FORMAT", "RETENTION_DAYS", "PORT"] {
        assert!(text.contains(name), "{name} in {text}");
    }
}

#[test]
fn a_worker_needs_no_jwt_secret() {
    let mut pairs = SERVER;
    pairs[0].1 = "worker";
    pairs[1] = ("LOG_LEVEL", "debug");
    assert_eq!(Config::load(&Environment::from(pairs)).unwrap().role, Role::Worker);
}

#[test]
fn the_environment_beats_the_file_and_unknown_keys_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("brokle.toml");
    std::fs::write(&path, "[server]\nport = 9001\nworker_port = 9002\n").unwrap();
    let path = path.to_str().unwrap();
    let config = Config::load(&Environment::from([("BROKLE_CONFIG", path), ("PORT", "9003")])).unwrap();
    assert_eq!((config.server.port, config.server.worker_port), (9003, 9002));

    std::fs::write(path, "[server]\nprot = 9001\n\n[srever]\nport = 1\n").unwrap();
    let text = problems(&Environment::from([("BROKLE_CONFIG", path)]));
    assert!(text.contains("prot") && text.contains("srever"), "{text}");
}

#[test]
fn secrets_come_from_files() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("jwt");
    std::fs::write(&path, "0123456789abcdef0123456789abcdef\n").unwrap();
    let config = Config::load(&Environment::from([("JWT_SECRET_FILE", path.to_str().unwrap())])).unwrap();
    assert_eq!(config.auth.jwt_secret.expose(), "0123456789abcdef0123456789abcdef");
    assert!(problems(&Environment::from([("JWT_SECRET_FILE", "/nowhere/jwt")])).contains("JWT_SECRET_FILE"));
}

#[test]
fn debug_output_hides_secrets() {
    let config = Config::load(&Environment::from(SERVER)).unwrap();
    assert!(!format!("{config:?}").contains("0123456789abcdef"));
}

#[test]
fn a_misspelt_variable_is_refused_and_one_of_somebody_else_is_only_told() {
    for (wrong, right) in [
        ("BROKLE_DATADIR", "BROKLE_DATA_DIR"),
        ("BROKLE_INIT_USER_PASSWORDS", "BROKLE_INIT_USER_PASSWORD"),
        ("BROKLE_INIT_APIKEY", "BROKLE_INIT_API_KEY"),
        ("BROKLE_DATA_DIR_FILE", ""),
    ] {
        let result = Config::load(&Environment::from([(wrong, "x")]));
        if right.is_empty() {
            assert!(result.unwrap().warnings[0].contains(wrong), "only secrets come from files");
        } else {
            let text = result.unwrap_err().to_string();
            assert!(text.contains(wrong) && text.contains(&format!("{right} is meant")), "{text}");
        }
    }
    // What SDKs read stands in the same shell.
    let sdk =
        Environment::from([("BROKLE_API_KEY", "bk_x"), ("BROKLE_BASE_URL", "x"), ("BROKLE_ENVIRONMENT", "x"), ("BROKLE_SAMPLE_RATE", "1")]);
    assert!(Config::load(&sdk).unwrap().warnings.is_empty());
    let newer = Config::load(&Environment::from([("BROKLE_SOMETHING_NEW", "1"), ("BROKLE_HOST", "x")])).unwrap();
    assert_eq!(newer.warnings.len(), 2);
}

#[test]
fn the_predecessors_times_to_live_are_understood() {
    let config = Config::load(&Environment::from([("ACCESS_TOKEN_TTL", "1h30m"), ("REFRESH_TOKEN_TTL", "336h")])).unwrap();
    assert_eq!((config.auth.access_token_ttl_seconds, config.auth.refresh_token_ttl_seconds), (5_400, 1_209_600));
    let config = Config::load(&Environment::from([("ACCESS_TOKEN_TTL", "15m"), ("ACCESS_TOKEN_TTL_SECONDS", "600")])).unwrap();
    assert_eq!(config.auth.access_token_ttl_seconds, 600, "the newer name wins");
    for wrong in ["soon", "15", "15m3", "m"] {
        let loaded = Config::load(&Environment::from([("ACCESS_TOKEN_TTL", wrong)]));
        let text = loaded.map(|_| ()).unwrap_err().to_string();
        assert!(text.contains("ACCESS_TOKEN_TTL"), "{wrong}: {text}");
    }
}

#[test]
fn limits_and_proxies_are_checked() {
    let config = Config::load(&Environment::from([
        ("RATE_LIMIT_ENABLED", "false"),
        ("RATE_LIMIT_PER_IP", "7"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
    ]))
    .unwrap();
    assert_eq!((config.rate_limit.enabled, config.rate_limit.per_ip, config.rate_limit.per_user), (false, 7, 3000));
    assert_eq!(config.server.trusted_proxies, ["10.0.0.0/8", "::1"]);
    for (name, wrong) in [
        ("TRUSTED_PROXIES", "10.0.0.0/33"),
        ("TRUSTED_PROXIES", "proxy.example"),
        ("RATE_LIMIT_WINDOW_SECONDS", "0"),
        ("RATE_LIMIT_ENABLED", "maybe"),
        ("RATE_LIMIT_ON_REDIS_FAILURE", "shut"),
    ] {
        let text = problems(&Environment::from([(name, wrong)]));
        assert!(text.contains(name), "{name}={wrong}: {text}");
    }
}

#[test]
fn any_origin_is_refused() {
    assert!(problems(&Environment::from([("CORS_ALLOWED_ORIGINS", "*")])).contains("CORS_ALLOWED_ORIGINS"));
    let config = Config::load(&Environment::from([("CORS_ALLOWED_ORIGINS", "http://a.example, https://b.example:3000")])).unwrap();
    assert_eq!(config.server.cors_allowed_origins, ["http://a.example", "https://b.example:3000"]);
}
