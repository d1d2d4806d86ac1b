#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| pipeline_fuzz::targets::target("config").on(data));
