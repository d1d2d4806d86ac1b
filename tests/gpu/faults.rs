//! A GPU that fails: the cause is named, the last checkpoint is intact, and nothing hangs.

use crate::emulated::{gpus, is_there};
use crate::given::Given;
use crate::process::{Ended, PIPELINE, Process, result};
use crate::runs::on_gpu;

const GPU: &str = "compute.devices=[\"cuda:0\"]";

/// Ends a run by a fault, and resumes it without one: it comes to the bits of a run without faults.
fn fails(fault: &str, sets: &[&str], causes: &[&str]) {
    if !is_there() {
        return;
    }
    let given = Given::new(8, 2);
    let all = |out| [&[GPU, "checkpoint.every_steps=2", out], sets].concat();
    on_gpu(&given, &[], false, &all("run.out=whole")).expect(0);
    let mut ended = on_gpu(&given, &["--faults", fault], false, &all("run.out=broken")).expect(1);
    for cause in causes {
        ended = ended.says(cause);
    }
    ended.says("resume with `");
    on_gpu(&given, &[], true, &all("run.out=broken")).expect(0);
    assert_eq!(result(&given.path("broken")), result(&given.path("whole")));
}

#[test]
fn a_kernel_that_fails() {
    let cause = "error: cuda: cuda:0: work on the GPU failed: ";
    fails(
        "launch:90",
        &[],
        &[cause, "(CUDA_ERROR_LAUNCH_FAILED); with --set compute.blocking=true"],
    );
}

#[test]
fn a_kernel_that_reads_elsewhere_is_named_if_it_is_waited_for() {
    let cause = "error: launch: cuda:0: the kernel dropout_train failed: ";
    let address = "(CUDA_ERROR_ILLEGAL_ADDRESS)";
    fails("illegal:dropout_train:8", &["compute.blocking=true"], &[cause, address]);
}

#[test]
fn a_launch_that_is_refused() {
    fails(
        "refusal:95",
        &[],
        &[
            "error: launch: cuda:0: the kernel ",
            "(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES)",
        ],
    );
}

#[test]
fn a_gpu_that_vanishes() {
    fails(
        "vanish:100",
        &[],
        &[
            "cuda:0: ",
            "(CUDA_ERROR_UNKNOWN); nvidia-smi and the system's log may say more",
        ],
    );
}

/// A command that is refused before it begins.
fn refused(options: &[&str], args: &[&str]) -> Ended {
    let given = Given::new(4, 1);
    let mut command = gpus(1, options);
    command.arg(PIPELINE);
    let toml = given.toml().display().to_string();
    let args = args.iter().map(|arg| if *arg == "TOML" { toml.as_str() } else { arg });
    let ended = Process::start_as(command, &given.path(""), args).wait();
    assert!(
        !given.path("run/checkpoints").exists() || ended.code == Some(1),
        "nothing was begun: {ended:#?}"
    );
    ended
}

#[test]
fn too_little_memory_is_refused_with_both_numbers() {
    if !is_there() {
        return;
    }
    for command in ["run", "check"] {
        let ended = refused(&["--memory", "128K"], &[command, "TOML", "--set", GPU]);
        ended
            .expect(2)
            .says("cuda:0 has 0.1 MB of memory, but the network and its batches need 0.")
            .says(" MB: lower staging.batch");
    }
}

#[test]
fn an_allocation_that_fails_is_no_panic() {
    if !is_there() {
        return;
    }
    let ended = refused(&["--faults", "allocation:1"], &["run", "TOML", "--set", GPU]);
    ended.expect(1).says("(CUDA_ERROR_OUT_OF_MEMORY); lower staging.batch");
}

#[test]
fn gpus_that_cannot_be_used_are_told_in_one_line() {
    if !is_there() {
        return;
    }
    let other = "compute.devices=[\"cuda:4\"]";
    let cases: [(&[&str], &str, &str); 3] = [
        (
            &["--driver", "12.2"],
            GPU,
            "the NVIDIA driver is for CUDA 12.2, but 12.4 or newer is needed",
        ),
        (
            &["--capability", "6.1"],
            GPU,
            "has compute capability 6.1, but 7.0 or higher is needed",
        ),
        (&[], other, "cuda:4 cannot be used: this machine has one GPU, cuda:0"),
    ];
    for (options, device, why) in cases {
        let ended = refused(options, &["run", "TOML", "--set", device]).expect(2).says(why);
        assert_eq!(
            ended.stderr.lines().filter(|line| line.starts_with("error:")).count(),
            1,
            "{ended:#?}"
        );
        let listed = refused(options, &["devices"]).expect(0).stdout;
        assert!(
            listed.ends_with(if options.is_empty() {
                "auto      cuda:0\n"
            } else {
                "auto      cpu:0\n"
            }),
            "{listed}"
        );
    }
    // "auto" says why it is the CPU.
    let told = refused(&["--driver", "12.2"], &["check", "TOML"]).expect(0).stdout;
    assert!(
        told.contains("device    cpu:0, because the NVIDIA driver is for CUDA 12.2"),
        "{told}"
    );
}
