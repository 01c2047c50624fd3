import AudioFeatures
import Testing

@Suite("A feature matrix")
struct MatrixTests {
  @Test("rows from outside are taken where they are whole, and refused where they are not")
  func shapes() throws {
    let matrix = try FeatureMatrix(frames: 2, coefficients: 3, values: [1, 2, 3, 4, 5, 6])
    #expect(matrix[1] == [4, 5, 6])
    #expect(try FeatureMatrix(frames: 0, coefficients: 3, values: []).frames == 0)
    for (frames, coefficients) in [
      (2, 2), (3, 3), (0, 0), (6, 0), (-2, -3), (6, -1), (-1, 6), (Int.max, 2), (Int.min, Int.min), (Int.max, Int.max),
    ] {
      #expect(throws: FeatureError.shape(frames: frames, coefficients: coefficients, values: 6)) {
        try FeatureMatrix(frames: frames, coefficients: coefficients, values: [1, 2, 3, 4, 5, 6])
      }
    }
  }

  @Test("a normaliser from outside has a finite mean and deviation for each coefficient")
  func normalizer() throws {
    let normalizer = try FeatureNormalizer(mean: [1, 2, 3], standardDeviation: [4, 0, 0.5])
    #expect(normalizer.mean == [1, 2, 3] && normalizer.scale == [0.25, 1, 2])
    for (mean, deviation) in [([1], [1, 2]), ([1, 2], [1]), ([.nan], [1]), ([1], [.infinity]), ([1], [-1])]
      as [([Float], [Float])]
    {
      #expect(throws: FeatureError.self) { try FeatureNormalizer(mean: mean, standardDeviation: deviation) }
    }
  }
}
