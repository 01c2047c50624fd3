// What the C++ workers of `features.py` share: noise, a clock, and a loop that answers requests on standard input.
#pragma once

#include <algorithm>
#include <chrono>
#include <iostream>
#include <random>
#include <string>
#include <vector>

// A minute of noise at 16 kHz.
inline std::vector<float> minute() {
  std::mt19937 random(1);
  std::normal_distribution<float> noise(0, 0.1f);
  std::vector<float> samples(16000 * 60);
  for (float& sample : samples) sample = noise(random);
  return samples;
}

// Each line holds seconds; the answer is the microseconds a frame of the fastest call of `body`, which returns its number
// of frames, that fits in them.
template <typename Body>
void serve(const std::string& name, Body body) {
  std::cout << name << std::endl;
  double seconds;
  while (std::cin >> seconds) {
    using Clock = std::chrono::steady_clock;
    body();
    double best = 1e9;
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    do {
      const auto start = Clock::now();
      const int frames = body();
      best = std::min(best, std::chrono::duration<double, std::micro>(Clock::now() - start).count() / frames);
    } while (Clock::now() < end);
    std::cout << best << std::endl;
  }
}
