mod api_keys;
mod http;
mod projects;
mod sessions;
