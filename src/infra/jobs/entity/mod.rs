pub mod job_runners;
pub mod job_schedules;
pub mod jobs;
