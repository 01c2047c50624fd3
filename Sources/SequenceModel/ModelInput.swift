import AudioFeatures
import AuricleBase
import RealModule

/// What a model takes: sound, of which it wants these features, or any sequences of so many numbers.
public enum ModelInput: Hashable, Sendable {
  case audio(FeatureConfiguration)
  case sequence(width: Int)

  /// Numbers in a frame.
  public var width: Int {
    switch self {
    case .audio(let features): features.coefficientCount
    case .sequence(let width): width
    }
  }

  /// Why it needs the end of a sound before its beginning; nil where it does not.
  package var waitsForEnd: String? {
    guard case .audio(let features) = self, features.normalization != .none, features.normalization != .global else {
      return nil
    }
    return "its features are normalised over each whole sound; train with global or no normalisation"
  }
}

/// What the logits of a model mean.
public enum ModelOutput: String, Codable, Sendable {
  /// One of the classes: probabilities by softmax, which sum to 1.
  case softmax
  /// Any number of the classes: each one's probability by a sigmoid.
  case sigmoid

  /// In double precision.
  func probabilities(_ logits: ArraySlice<Float>) -> [Float] {
    switch self {
    case .softmax: SequenceModel.softmax(logits)
    case .sigmoid: logits.map { Float(1 / (1 + Double.exp(-Double($0)))) }
    }
  }
}
