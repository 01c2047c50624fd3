import AudioFeatures
import AuricleBase
import Testing
import Training

@Suite("The cache of features")
struct FeatureCacheTests {
  private let matrices = risesAndFalls(20, seed: 3).map(\.features)

  @Test(
    "gives back what was put in, from memory and from disk; the limit decides where it is",
    arguments: [0, 500, 1 << 20])
  func roundTrip(limit: Int) throws {
    var cache = FeatureCache(memoryLimit: limit)
    for matrix in matrices { try cache.append(matrix) }
    let size = matrices.reduce(0) { $0 + 4 * $1.values.count }
    #expect(cache.bytesInMemory <= limit && cache.bytesInMemory + cache.bytesOnDisk == size)
    #expect((cache.bytesOnDisk > 0) == (limit < size) && (cache.bytesInMemory > 0) == (limit > 0))
    for index in matrices.indices.reversed() {
      #expect(try cache.features(at: index) == matrices[index])
      #expect(cache.frames(at: index) == matrices[index].frames)
    }
  }

  @Test("threads read it at once")
  func concurrent() async throws {
    var cache = FeatureCache(memoryLimit: 500)
    for matrix in matrices { try cache.append(matrix) }
    let (filled, matrices) = (cache, matrices)
    try await orderedMap(Array(0..<200), jobs: 4) { index in
      Result { try filled.features(at: index % 20) }
    } each: { index, result in
      #expect((try? result.get()) == matrices[index % 20])
    }
  }
}
