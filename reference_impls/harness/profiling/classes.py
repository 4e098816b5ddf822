"""Classes of TensorFlow's operations."""

from __future__ import annotations

import re

CONVOLUTION, PRODUCT, RECURRENT = "convolution", "matrix product", "recurrence"
NORMALIZATION, ELEMENTWISE, REDUCTION = "normalization", "elementwise", "reduction"
GATHER, MOVEMENT, RANDOM, OTHER = "gather and scatter", "data movement", "random numbers", "other"

_OPERATIONS = {
    CONVOLUTION: """
        Conv2D Conv2DBackpropFilter Conv2DBackpropInput Conv3D Conv3DBackpropFilterV2 Conv3DBackpropInputV2
        DepthwiseConv2dNative DepthwiseConv2dNativeBackpropFilter DepthwiseConv2dNativeBackpropInput Dilation2D""",
    PRODUCT: """
        MatMul BatchMatMul BatchMatMulV2 BatchMatMulV3 Einsum SparseMatMul SparseTensorDenseMatMul""",
    RECURRENT: """
        BlockLSTM BlockLSTMV2 BlockLSTMGrad BlockLSTMGradV2 CudnnRNN CudnnRNNV2 CudnnRNNV3 CudnnRNNBackprop
        CudnnRNNBackpropV2 CudnnRNNBackpropV3 GRUBlockCell GRUBlockCellGrad LSTMBlockCell LSTMBlockCellGrad""",
    NORMALIZATION: """
        FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 FusedBatchNormGrad FusedBatchNormGradV2 FusedBatchNormGradV3
        LRN LRNGrad Softmax LogSoftmax SoftmaxCrossEntropyWithLogits
        SparseSoftmaxCrossEntropyWithLogits""",
    ELEMENTWISE: """
        Abs Acos Add AddN AddV2 AssignAddVariableOp AssignSubVariableOp Atan2 BiasAdd BitwiseAnd BitwiseOr BitwiseXor
        Ceil ClipByValue ComplexAbs Cos Div DivNoNan Elu EluGrad Equal Erf Exp Expm1 Floor FloorDiv FloorMod Greater
        GreaterEqual Invert IsFinite IsInf IsNan LeakyRelu LeakyReluGrad LeftShift Less LessEqual Log Log1p LogicalAnd
        LogicalNot LogicalOr Maximum Minimum Mod Mul MulNoNan Neg NotEqual Pow RealDiv Reciprocal ReciprocalGrad Relu
        Relu6 Relu6Grad ReluGrad ResourceApplyAdam ResourceApplyGradientDescent ResourceApplyKerasMomentum
        ResourceApplyMomentum RightShift Rint Round Rsqrt RsqrtGrad Select SelectV2 Selu SeluGrad Sigmoid SigmoidGrad
        Sign Sin Softplus SoftplusGrad Sqrt SqrtGrad Square SquaredDifference Sub Tan Tanh TanhGrad TruncateDiv Xdivy
        Xlogy""",
    REDUCTION: """
        All Any ArgMax ArgMin AvgPool AvgPoolGrad BiasAddGrad Cumsum L2Loss Max MaxPool MaxPoolGrad MaxPoolGradV2
        MaxPoolV2 MaxPoolWithArgmax Mean Min Prod SegmentMax SegmentMean SegmentSum SparseSegmentMean SparseSegmentSum
        Sum""",
    GATHER: """
        DynamicPartition DynamicStitch Gather GatherNd GatherV2 InvertPermutation ResourceGather ResourceGatherNd
        ResourceScatterAdd ResourceScatterSub ResourceScatterUpdate ScatterNd TensorScatterAdd TensorScatterUpdate
        UnsortedSegmentMax UnsortedSegmentSum Unique UniqueV2""",
    MOVEMENT: """
        AssignVariableOp Bitcast BroadcastTo Cast Concat ConcatOffset ConcatV2 Const Copy EmptyTensorList ExpandDims Fill
        Identity IdentityN MatrixBandPart MatrixDiagV3 OneHot OnesLike Pack Pad PadV2 Range Rank ReadVariableOp Reshape
        ReverseSequence ReverseV2 Shape ShapeN Size Slice Snapshot Split SplitV Squeeze StopGradient StridedSlice
        StridedSliceGrad TensorListElementShape TensorListFromTensor TensorListGetItem TensorListLength
        TensorListPopBack TensorListPushBack TensorListReserve TensorListSetItem TensorListStack Tile Transpose Unpack
        VariableShape ZerosLike""",
    RANDOM: """
        RandomStandardNormal RandomUniform RandomUniformInt StatelessRandomGetAlg StatelessRandomGetKeyCounter
        StatelessRandomGetKeyCounterAlg StatelessRandomNormalV2 StatelessRandomUniformFullIntV2
        StatelessRandomUniformIntV2 StatelessRandomUniformV2 StatelessTruncatedNormalV2 TruncatedNormal""",
    OTHER: "",
}
_CLASS_OF = {name: kind for kind, names in _OPERATIONS.items() for name in names.split()}

CLASSES = tuple(_OPERATIONS)
"""All classes, in the order in which they are shown; ``other`` is what no class lists."""

_FUSED = {
    "FusedConv2D": CONVOLUTION,
    "FusedDepthwiseConv2dNative": CONVOLUTION,
    "Conv2DBackpropFilterWithBias": CONVOLUTION,
    "FusedMatMul": PRODUCT,
    "FusedBatchMatMulV2": PRODUCT,
    "FusedBatchNormEx": NORMALIZATION,
    "FusedBatchNormGradEx": NORMALIZATION,
    "UnaryOpsComposition": ELEMENTWISE,
    "RetVal": MOVEMENT,
    "Arg": MOVEMENT,
}
"""Kernels that TensorFlow puts in the place of several operations."""

_KERNEL = re.compile(r"^_(?:Mkl)?(?:Native)?")
_LOOP = re.compile(r"^while(?:_\d+)?$")
_NO_LAYER = re.compile(r"^(?:while(?:_\d+)?|body|cond|gradient_tape|gradients|_\d+)$")


def classify_operation(kind: str, name: str = "") -> str:
    """The class of an operation.

    What a recurrent layer does step by step belongs to the recurrence, whatever the operation: TensorFlow has no kernel of
    it for processors. Such a layer's operations stand in a loop within the layer's own name; loops without a layer, such as
    one over the parts of a batch, do not change the class.

    Args:
        kind: type of the operation or of the kernel that replaced it: ``MatMul``, ``_MklMatMul``.
        name: of its node: ``model/gru/while/body/_1/MatMul``.
    """
    if _is_in_layer_loop(name):
        return RECURRENT
    plain = _KERNEL.sub("", kind)
    return _FUSED.get(plain) or _CLASS_OF.get(plain, OTHER)


def _is_in_layer_loop(name: str) -> bool:
    in_layer = False
    for part in name.split("/")[:-1]:
        if _LOOP.match(part) and in_layer:
            return True
        in_layer |= not _NO_LAYER.match(part)
    return False
