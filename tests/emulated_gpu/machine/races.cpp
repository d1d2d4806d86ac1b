#include "races.h"

namespace gpu {
namespace {

constexpr uint32_t SYNCS = (1u << 21) - 1;

}  // namespace

void Races::begin(uint32_t bytes, uint32_t granule) {
    granule_ = granule;
    // 0 is before anything: a touch that has never been.
    barriers_ = 1;
    pieces_.assign((bytes + granule - 1) / granule, Piece());
}

bool Races::races(Touch other, uint32_t thread, uint32_t syncs) const {
    if (other.barriers != (barriers_ & 0xffffffff) || other.thread == thread) return false;
    return other.thread / 32 != thread / 32 || other.syncs == (syncs & SYNCS);
}

uint32_t Races::conflict(uint32_t offset, uint32_t bytes, bool writes, uint32_t thread, uint32_t syncs) const {
    for (uint32_t i = offset / granule_; i * granule_ < offset + bytes; ++i) {
        const Piece& piece = pieces_[i];
        if (races(piece.writer, thread, syncs)) return piece.writer.thread;
        if (!writes) continue;
        for (const Touch& reader : piece.readers)
            if (races(reader, thread, syncs)) return reader.thread;
    }
    return NONE;
}

void Races::note(uint32_t offset, uint32_t bytes, bool writes, uint32_t thread, uint32_t syncs) {
    const Touch own = {barriers_ & 0xffffffff, syncs & SYNCS, thread};
    for (uint32_t i = offset / granule_; i * granule_ < offset + bytes; ++i) {
        Piece& piece = pieces_[i];
        if (writes) {
            piece.writer = own;
        } else {
            // The latest of this thread, and one of another.
            if (piece.readers[0].thread != thread) piece.readers[1] = piece.readers[0];
            piece.readers[0] = own;
        }
    }
}

}  // namespace gpu
