import Testing
import Training

@Suite("Softmax cross-entropy")
struct CrossEntropyTests {
  @Test("loss and gradient agree with PyTorch, with and without smoothing, and for extreme logits")
  func torch() throws {
    for golden in try Golden.load().crossEntropy {
      let result = try BatchLoss(
        .softmaxCrossEntropy(labelSmoothing: golden.smoothing), logits: golden.logits.map { Float($0) },
        targets: golden.labels.map { try Target($0, of: golden.logits.count / golden.labels.count) })
      #expect(abs(result.loss - golden.loss) <= 1e-6 * abs(golden.loss))
      for (found, wanted) in zip(result.logitGradient, golden.gradient) {
        #expect(abs(Double(found) - wanted) < 1e-6)
      }
    }
  }

  @Test("the gradient is scaled, the loss is not; right answers are counted")
  func scale() throws {
    let logits: [Float] = [2, 0, 0, 3]
    let (plain, targets) = (Loss.softmaxCrossEntropy(labelSmoothing: 0), try [Target(0, of: 2), Target(0, of: 2)])
    let whole = try BatchLoss(plain, logits: logits, targets: targets)
    let half = try BatchLoss(plain, logits: logits, targets: targets, scale: 0.5)
    #expect(whole.loss == half.loss && whole.correct == 1)
    #expect(zip(whole.logitGradient, half.logitGradient).allSatisfy { $0 * 0.5 == $1 })
  }

  @Test("a mixture of two classes costs the mixture of their losses; a class weight multiplies both")
  func mixture() throws {
    let logits: [Float] = [2, -1, 0.5]
    func loss(_ target: Target, _ weights: [Double]? = nil) throws -> BatchLoss {
      try BatchLoss(.softmaxCrossEntropy(labelSmoothing: 0.1), logits: logits, targets: [target], classWeights: weights)
    }
    let (one, other) = (try Target(0, of: 3), try Target(2, of: 3))
    let mixture = one.mixed(with: other, share: 0.25)
    #expect(mixture.probabilities == [0.75, 0, 0.25] && mixture.label == 0)
    let (first, second) = (try loss(one), try loss(other))
    let mixed = try loss(mixture)
    #expect(abs(mixed.loss - (0.75 * first.loss + 0.25 * second.loss)) < 1e-12)
    for i in 0..<3 {
      #expect(abs(mixed.logitGradient[i] - (0.75 * first.logitGradient[i] + 0.25 * second.logitGradient[i])) < 1e-6)
    }
    let weighted = try loss(mixture, [2, 100, 4])
    #expect(abs(weighted.loss - 2.5 * mixed.loss) < 1e-12)
    #expect(zip(weighted.logitGradient, mixed.logitGradient).allSatisfy { abs($0 - 2.5 * $1) < 1e-6 })
  }

  @Test("no sequences give no loss")
  func empty() throws {
    #expect(try BatchLoss(.sigmoidCrossEntropy, logits: [], targets: []).loss == 0)
  }

  @Test("sigmoids: each class by itself, as PyTorch's binary_cross_entropy_with_logits, and no overflow")
  func sigmoid() throws {
    // torch.nn.functional.binary_cross_entropy_with_logits(x, q, reduction="sum")
    let logits: [Float] = [0.5, -1.25, 3, -0.5, 2, 0.125]
    let targets = try [Target(probabilities: [1, 0, 0.25]), Target(probabilities: [0, 1, 0])]
    let result = try BatchLoss(.sigmoidCrossEntropy, logits: logits, targets: targets)
    #expect(abs(result.loss - 4.3831974476394695) < 1e-9)
    let wanted: [Float] = [-0.3775407, 0.2227001, 0.7025741, 0.3775407, -0.1192029, 0.5312094]
    for (found, wanted) in zip(result.logitGradient, wanted) { #expect(abs(found - wanted) < 1e-6) }
    #expect(result.correct == 0)
    let sure = try BatchLoss(.sigmoidCrossEntropy, logits: [1000, -1000], targets: [Target(0, of: 2)])
    #expect(sure.loss == 0 && sure.correct == 1 && sure.logitGradient == [0, 0])
  }

  @Test("targets, logits and weights that do not fit each other are errors, and so are classes that there are not")
  func doors() {
    #expect(throws: TrainingError.self) { try Target(2, of: 2) }
    #expect(throws: TrainingError.self) { try Target(-1, of: 2) }
    #expect(throws: TrainingError.self) { try Target(probabilities: []) }
    #expect(throws: TrainingError.self) { try Target(probabilities: [0.5, .nan]) }
    let plain = Loss.softmaxCrossEntropy(labelSmoothing: 0)
    #expect(throws: TrainingError.self) { try BatchLoss(plain, logits: [1, 2, 3], targets: [Target(0, of: 2)]) }
    #expect(throws: TrainingError.self) { try BatchLoss(plain, logits: [1], targets: []) }
    #expect(throws: TrainingError.self) {
      try BatchLoss(plain, logits: [1, 2], targets: [Target(0, of: 2)], classWeights: [1])
    }
  }
}
