// swift-tools-version: 6.1

import PackageDescription

// A package of its own, so that the library depends on nothing that only measures it. See README.md.
let package = Package(
  name: "benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "auricle", path: ".."),
    .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.0", traits: []),
  ],
  targets: [
    .systemLibrary(
      name: "CFourier", path: "CFourier", pkgConfig: "fftw3f", providers: [.apt(["libfftw3-dev"]), .brew(["fftw"])]),
    .executableTarget(
      name: "Features",
      dependencies: [
        "CFourier", .product(name: "Benchmark", package: "benchmark"), .product(name: "Auricle", package: "auricle"),
      ],
      path: "Benchmarks/Features",
      plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
  ],
  swiftLanguageModes: [.v6]
)
