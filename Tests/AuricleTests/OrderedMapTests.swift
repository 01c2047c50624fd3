import AuricleBase
import Foundation
import Testing

@Suite("An ordered map")
struct OrderedMapTests {
  @Test("results are handed on while the work goes on, though every processor is at it")
  func promptness() async throws {
    let begun = Locked(0)
    var atFirst: Int?
    try await orderedMap(Array(0..<200), jobs: ProcessInfo.processInfo.activeProcessorCount) { _ in
      begun.withLock { $0 += 1 }
      usleep(1_000)
    } each: { _, _ in
      atFirst = atFirst ?? begun.withLock { $0 }
    }
    #expect(try #require(atFirst) < 200)
  }
}
