// One recurrent layer in oneDNN 2.x: answers requests of `compare.py` on standard input.
//
// Weights are given in the format the primitive asks for (`any`), reordered once, outside the timing.
#include <algorithm>
#include <chrono>
#include <iostream>
#include <oneapi/dnnl/dnnl.hpp>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

using namespace dnnl;
using tag = memory::format_tag;
using Arguments = std::unordered_map<int, memory>;

static engine cpu(engine::kind::cpu, 0);
static stream queue(cpu);

static memory::desc f32(const memory::dims &dims, tag format) { return {dims, memory::data_type::f32, format}; }

// Memory of small random numbers, in `description`'s format.
static memory filled(const memory::desc &description, tag plain) {
  static std::mt19937 generator(7);
  std::uniform_real_distribution<float> uniform(-0.1f, 0.1f);
  memory source(f32(description.dims(), plain), cpu);
  float *values = static_cast<float *>(source.get_data_handle());
  for (size_t i = 0; i < source.get_desc().get_size() / sizeof(float); i++) values[i] = uniform(generator);
  if (source.get_desc() == description) return source;
  memory target(description, cpu);
  reorder(source, target).execute(queue, source, target);
  queue.wait();
  return target;
}

struct Size {
  memory::dim frames, batch, inputs, hidden;
};

// The primitives of one cell: forward, and backward with all gradients, that of the input included.
template <typename Forward, typename Backward>
struct Layer {
  primitive forward, backward;
  Arguments forwardArguments, backwardArguments;

  template <typename ForwardDesc, typename BackwardDesc>
  Layer(const Size &s, int gates, int biases, bool training, bool hasCell, ForwardDesc forwardDesc,
        BackwardDesc backwardDesc) {
    const memory::dims x{s.frames, s.batch, s.inputs}, y{s.frames, s.batch, s.hidden}, h{1, 1, s.batch, s.hidden};
    const memory::dims w{1, 1, s.inputs, gates, s.hidden}, u{1, 1, s.hidden, gates, s.hidden}, b{1, 1, biases, s.hidden};
    const auto xd = f32(x, tag::tnc), yd = f32(y, tag::tnc), hd = f32(h, tag::ldnc), bd = f32(b, tag::ldgo);
    const auto wd = f32(w, tag::any), ud = f32(u, tag::any);
    const auto kind = training ? prop_kind::forward_training : prop_kind::forward_inference;
    typename Forward::primitive_desc pd(forwardDesc(kind, xd, hd, wd, ud, bd, yd), cpu);
    forward = Forward(pd);
    Arguments common{{DNNL_ARG_SRC_LAYER, filled(xd, tag::tnc)}, {DNNL_ARG_SRC_ITER, filled(hd, tag::ldnc)},
                     {DNNL_ARG_BIAS, filled(bd, tag::ldgo)}, {DNNL_ARG_DST_LAYER, memory(yd, cpu)},
                     {DNNL_ARG_DST_ITER, memory(hd, cpu)}};
    if (hasCell) {
      common.insert({DNNL_ARG_SRC_ITER_C, filled(hd, tag::ldnc)});
      common.insert({DNNL_ARG_DST_ITER_C, memory(hd, cpu)});
    }
    if (training) common.insert({DNNL_ARG_WORKSPACE, memory(pd.workspace_desc(), cpu)});
    forwardArguments = common;
    forwardArguments.insert({DNNL_ARG_WEIGHTS_LAYER, filled(pd.weights_layer_desc(), tag::ldigo)});
    forwardArguments.insert({DNNL_ARG_WEIGHTS_ITER, filled(pd.weights_iter_desc(), tag::ldigo)});
    if (!training) return;

    typename Backward::primitive_desc back(backwardDesc(xd, hd, wd, ud, bd, yd), cpu, pd);
    backward = Backward(back);
    backwardArguments = common;
    backwardArguments.insert({DNNL_ARG_WEIGHTS_LAYER, filled(back.weights_layer_desc(), tag::ldigo)});
    backwardArguments.insert({DNNL_ARG_WEIGHTS_ITER, filled(back.weights_iter_desc(), tag::ldigo)});
    backwardArguments.insert({DNNL_ARG_DIFF_WEIGHTS_LAYER, memory(back.diff_weights_layer_desc(), cpu)});
    backwardArguments.insert({DNNL_ARG_DIFF_WEIGHTS_ITER, memory(back.diff_weights_iter_desc(), cpu)});
    backwardArguments.insert({DNNL_ARG_DIFF_BIAS, memory(bd, cpu)});
    backwardArguments.insert({DNNL_ARG_DIFF_SRC_LAYER, memory(xd, cpu)});
    backwardArguments.insert({DNNL_ARG_DIFF_SRC_ITER, memory(hd, cpu)});
    backwardArguments.insert({DNNL_ARG_DIFF_DST_LAYER, filled(yd, tag::tnc)});
    backwardArguments.insert({DNNL_ARG_DIFF_DST_ITER, filled(hd, tag::ldnc)});
    if (hasCell) {
      backwardArguments.insert({DNNL_ARG_DIFF_SRC_ITER_C, memory(hd, cpu)});
      backwardArguments.insert({DNNL_ARG_DIFF_DST_ITER_C, filled(hd, tag::ldnc)});
    }
  }

  void run() {
    forward.execute(queue, forwardArguments);
    if (backward) backward.execute(queue, backwardArguments);
    queue.wait();
  }
};

// The fastest of the calls that fit in `seconds`, in nanoseconds.
template <typename Body>
static double fastest(double seconds, Body body) {
  using clock = std::chrono::steady_clock;
  body();
  double best = 1e30;
  const auto end = clock::now() + std::chrono::duration<double>(seconds);
  do {
    const auto start = clock::now();
    body();
    best = std::min(best, std::chrono::duration<double, std::nano>(clock::now() - start).count());
  } while (clock::now() < end);
  return best;
}

static double measure(const std::string &cell, bool training, const Size &size, double seconds) {
  const auto direction = rnn_direction::unidirectional_left2right;
  const auto kind = prop_kind::backward;
  using D = const memory::desc &;
  if (cell == "gru") {
    Layer<lbr_gru_forward, lbr_gru_backward> layer(
        size, 3, 4, training, false,
        [&](prop_kind k, D x, D h, D w, D u, D b, D y) { return lbr_gru_forward::desc(k, direction, x, h, w, u, b, y, h); },
        [&](D x, D h, D w, D u, D b, D y) {
          return lbr_gru_backward::desc(kind, direction, x, h, w, u, b, y, h, x, h, w, u, b, y, h);
        });
    return fastest(seconds, [&] { layer.run(); });
  }
  if (cell == "lstm") {
    Layer<lstm_forward, lstm_backward> layer(
        size, 4, 4, training, true,
        [&](prop_kind k, D x, D h, D w, D u, D b, D y) { return lstm_forward::desc(k, direction, x, h, h, w, u, b, y, h, h); },
        [&](D x, D h, D w, D u, D b, D y) {
          return lstm_backward::desc(kind, direction, x, h, h, w, u, b, y, h, h, x, h, h, w, u, b, y, h, h);
        });
    return fastest(seconds, [&] { layer.run(); });
  }
  Layer<vanilla_rnn_forward, vanilla_rnn_backward> layer(
      size, 1, 1, training, false,
      [&](prop_kind k, D x, D h, D w, D u, D b, D y) {
        return vanilla_rnn_forward::desc(k, algorithm::eltwise_tanh, direction, x, h, w, u, b, y, h);
      },
      [&](D x, D h, D w, D u, D b, D y) {
        return vanilla_rnn_backward::desc(
            kind, algorithm::eltwise_tanh, direction, x, h, w, u, b, y, h, x, h, w, u, b, y, h);
      });
  return fastest(seconds, [&] { layer.run(); });
}

int main() {
  const dnnl_version_t *version = dnnl_version();
  std::cout << "oneDNN " << version->major << "." << version->minor << "." << version->patch << std::endl;
  std::string cell, pass;
  Size size{};
  double seconds;
  while (std::cin >> cell >> pass >> size.batch >> size.frames >> size.inputs >> size.hidden >> seconds) {
    std::cout << measure(cell, pass == "train", size, seconds) << std::endl;
  }
}
