//! Automatic workers stay within the memory that a run may take.

use pipeline::plan::{Crew, Crews, Plan, needs};

use crate::given::Given;

/// The plan on a machine with many cores.
fn plan(given: &Given, sets: &[&str]) -> Plan {
    let mut plan = given.plan(sets);
    plan.cores = 16;
    plan
}

#[test]
fn as_many_workers_as_there_is_room_for_and_not_one_more() {
    let given = Given::new(4, 1);
    for fixed in [None, Some("decode.workers=5"), Some("augment.workers=2")] {
        let sets: Vec<&str> = fixed.into_iter().collect();
        let roomy = plan(&given, &[&sets[..], &["run.memory=1 TiB"]].concat());
        for max in [1, 2, 7, 16] {
            let crews = Crews::new(&roomy.config, max);
            let bytes = roomy.memory.needed(crews);
            let exactly = format!("run.memory={} B", bytes.get());
            assert_eq!(
                plan(&given, &[&sets[..], &[&exactly]].concat()).crews(),
                crews,
                "{fixed:?}"
            );
            if max > 1 {
                let less = format!("run.memory={} B", bytes.get() - 1);
                let fewer = plan(&given, &[&sets[..], &[&less]].concat()).crews();
                assert_eq!(fewer, Crews::new(&roomy.config, max - 1), "{fixed:?}");
            }
        }
        assert_eq!(
            roomy.crews(),
            Crews::new(&roomy.config, 16),
            "cores are the other limit"
        );
    }
}

#[test]
fn what_is_needed_is_what_the_plan_adds_up_to() {
    let given = Given::new(4, 1);
    for workers in [1, 3] {
        let sets = [
            format!("decode.workers={workers}"),
            format!("augment.workers={workers}"),
        ];
        let plan = plan(&given, &sets.each_ref().map(String::as_str));
        let crew = Crew {
            start: workers,
            max: workers,
        };
        assert_eq!((plan.crews().decode, plan.crews().augment), (crew, crew));
        let buffers = plan.buffers();
        let crops = buffers.pixel_buffer.expect("the crop's size") * buffers.pixel_buffers;
        let planned = plan.model.memory().total() + buffers.snapshot + buffers.slots + crops + plan.workspace * workers;
        assert_eq!(plan.memory.needed(plan.crews()), planned);
        assert_eq!(needs::sum(&plan.needs()), planned);
    }
}
