import AuricleBase
import Testing

@testable import Augmentation

@Suite("convolution")
struct ConvolutionTests {
  @Test(
    "a block or many, a response shorter or longer than the signal: the sum as it stands",
    arguments: [(1, 1), (1, 500), (7, 100), (300, 2_000), (300, 5), (1_000, 64)])
  func equalsSum(responseCount: Int, count: Int) throws {
    var generator = SeededGenerator(seed: 5)
    let response = (0..<responseCount).map { _ in Float(generator.normal()) }
    let samples = (0..<count).map { _ in Float(generator.normal()) }
    let expected = samples.indices.map { i in
      (0...min(i, responseCount - 1)).reduce(0.0) { $0 + Double(response[$1]) * Double(samples[i - $1]) }
    }
    for convolution in [Convolution(response), Convolution(response, count: count)] {
      let result = try #require(convolution?.applied(to: samples))
      #expect(result.count == count)
      #expect(zip(result, expected).allSatisfy { abs(Double($0) - $1) < 1e-4 })
    }
  }

  @Test("nothing in, nothing out; there is no empty response")
  func empty() {
    #expect(Convolution([1, 2])?.applied(to: []) == [])
    let none = Convolution([])
    #expect(none == nil)
  }
}
