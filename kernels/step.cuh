// What changes at each step. It is read from device memory, never passed, so that a captured graph of launches can be replayed.
struct Step {
    float rate;       // the schedule's learning rate
    unsigned number;  // of the step
    unsigned present; // rows of the run's whole batch that have an image
};
