//! Tables of the installation itself.

pub mod installation;
