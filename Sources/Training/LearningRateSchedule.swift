import AuricleBase
import RealModule
import SequenceModel

/// The course of the learning rate.
public enum LearningRateSchedule: String, Codable, CaseIterable, Sendable {
  case constant
  /// Rises evenly over the first epochs (`warmUp`), then falls to zero along half a cosine (Loshchilov and Hutter,
  /// "SGDR", ICLR 2017).
  case cosine
  /// Rises from 1/25 along half a cosine over the first 30% of all batches, then falls to 1/250000 (Smith and Topin,
  /// "Super-convergence", 2018), as PyTorch's `OneCycleLR`; momentum stays.
  case oneCycle = "one-cycle"
  /// Falls by `plateauFactor` when for `plateauPatience` epochs the validation loss (the training loss, without
  /// validation data) has not got less by a ten-thousandth, as PyTorch's `ReduceLROnPlateau`.
  case plateau
}

extension TrainingConfiguration {
  /// The learning rate of batch `batch`, counted from 0 over all epochs, of `batchesPerEpoch * epochs`.
  ///
  /// Depends on nothing but this and the `past` epochs, so that a run can go on from where it stopped.
  func rate(batch: Int, batchesPerEpoch: Int, past: [TrainingRecord.Epoch]) -> Double {
    let peak = effectiveLearningRate
    let total = batchesPerEpoch * epochs
    switch schedule {
    case .constant: return peak
    case .cosine:
      let rise = min(Int((warmUp * Double(batchesPerEpoch)).rounded()), total - 1)
      if batch < rise { return peak * Double(batch + 1) / Double(rise) }
      return cosineCourse(from: peak, to: 0, Double(batch - rise) / Double(total - rise))
    case .oneCycle:
      let (start, end) = (peak / 25, peak / 25 / 1e4)
      let top = 0.3 * Double(total) - 1
      if Double(batch) <= top { return cosineCourse(from: start, to: peak, Double(batch) / top) }
      return cosineCourse(from: peak, to: end, (Double(batch) - top) / (Double(total - 1) - top))
    case .plateau: return peak * plateauShare(past.map { $0.validationLoss ?? $0.trainingLoss })
    }
  }

  /// What is left of the learning rate after epochs of such `losses`.
  func plateauShare(_ losses: [Double]) -> Double {
    var (share, best, waited) = (1.0, Double.infinity, 0)
    for loss in losses {
      if loss < best * (1 - 1e-4) { (best, waited) = (loss, 0) } else { waited += 1 }
      if waited > plateauPatience { (share, waited) = (share * plateauFactor, 0) }
    }
    return share
  }
}

private func cosineCourse(from start: Double, to end: Double, _ progress: Double) -> Double {
  end + (start - end) * 0.5 * (1 + Double.cos(Double.pi * progress))
}
