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

  @Test("a mixture of two classes costs the mixture of their losses; a class weight multiplies both")
  func mixture() {
    let logits: [Float] = [2, -1, 0.5]
    func loss(_ target: ClassTarget, _ weights: [Double]? = nil) -> CrossEntropy {
      CrossEntropy(logits: logits, targets: [target], classWeights: weights, labelSmoothing: 0.1)
    }
    let (first, second) = (loss(ClassTarget(0)), loss(ClassTarget(2)))
    let mixed = loss(ClassTarget(0, partner: 2, partnerShare: 0.3))
    #expect(abs(mixed.loss - (0.7 * first.loss + 0.3 * second.loss)) < 1e-12)
    for i in 0..<3 {
      #expect(abs(mixed.logitGradient[i] - (0.7 * first.logitGradient[i] + 0.3 * second.logitGradient[i])) < 1e-6)
    }
    let weighted = loss(ClassTarget(0, partner: 2, partnerShare: 0.3), [2, 100, 4])
    #expect(abs(weighted.loss - 2.6 * mixed.loss) < 1e-12)
    #expect(zip(weighted.logitGradient, mixed.logitGradient).allSatisfy { abs($0 - 2.6 * $1) < 1e-6 })
  }

  @Test("no sequences give no loss")
  func empty() {
    #expect(CrossEntropy(logits: [], labels: []).loss == 0)
  }
}
