import Testing
import Training

@Suite("Softmax cross-entropy")
struct CrossEntropyTests {
  @Test("loss and gradient agree with PyTorch, with and without smoothing, and for extreme logits")
  func torch() throws {
    for golden in try Golden.load().crossEntropy {
      let result = CrossEntropy(
        logits: golden.logits.map { Float($0) }, labels: golden.labels, labelSmoothing: golden.smoothing)
      #expect(abs(result.loss - golden.loss) <= 1e-6 * abs(golden.loss))
      for (found, wanted) in zip(result.logitGradient, golden.gradient) {
        #expect(abs(Double(found) - wanted) < 1e-6)
      }
    }
  }

  @Test("the gradient is scaled, the loss is not; right answers are counted")
  func scale() {
    let logits: [Float] = [2, 0, 0, 3]
    let whole = CrossEntropy(logits: logits, labels: [0, 0])
    let half = CrossEntropy(logits: logits, labels: [0, 0], scale: 0.5)
    #expect(whole.loss == half.loss && whole.correct == 1)
    #expect(zip(whole.logitGradient, half.logitGradient).allSatisfy { $0 * 0.5 == $1 })
  }

  @Test("no sequences give no loss")
  func empty() {
    #expect(CrossEntropy(logits: [], labels: []).loss == 0)
  }
}
