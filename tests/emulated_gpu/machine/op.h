// How handlers are made of functions of one lane.
#pragma once
#include "program.h"
#include "warp.h"
#include <utility>

namespace gpu {

// D[l] = f(S[l]…) for all lanes. Lanes that do not execute get a result too: it is not kept, or nobody needs it.
template <class D, class... S, class F> Handler lanewise(F) {
    return [](Warp& warp, const Op& op, void* to) {
        [&]<size_t... I>(std::index_sequence<I...>) {
            auto* y = (D*)to;
            [&](const S* __restrict... x) {
            // A register may be read and written by one operation, lane by lane: that is no dependency.
#pragma GCC ivdep
                for (unsigned l = 0; l < LANES; ++l) y[l] = F()(x[l]...);
            }(warp.lanes<S>(op.from[I])...);
        }(std::index_sequence_for<S...>());
    };
}

// A mask of the lanes for which f(S[l]…) holds.
template <class... S, class F> Handler comparison(F) {
    return [](Warp& warp, const Op& op, void* to) {
        [&]<size_t... I>(std::index_sequence<I...>) {
            int32_t truth[LANES];
            [&](const S*... x) {
                for (unsigned l = 0; l < LANES; ++l) truth[l] = F()(x[l]...) ? -1 : 0;
            }(warp.lanes<S>(op.from[I])...);
            *(Mask*)to = mask_of(truth);
        }(std::index_sequence_for<S...>());
    };
}

// A mask of masks.
template <size_t COUNT, class F> Handler of_masks(F) {
    return [](Warp& warp, const Op& op, void* to) {
        if constexpr (COUNT == 1) *(Mask*)to = F()(warp.mask_at(op.from[0]));
        else *(Mask*)to = F()(warp.mask_at(op.from[0]), warp.mask_at(op.from[1]));
    };
}

}  // namespace gpu
