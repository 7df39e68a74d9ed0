// Made by graph/schemas/make.py from onnx 1.23.2. Do not edit.
import type { SchemaTable } from "./schema.ts";

export const onnxSchemas: SchemaTable = {
  types: [
    "float16 float32 float64",
    "float16 float32 float64 int16 int32 int64 int8 uint16 uint32 uint64 uint8",
    "bfloat16 float16 float32 float64 int16 int32 int64 int8 uint16 uint32 uint64 uint8",
    "bfloat16 float16 float32 float64",
    "float16 float32 float64 int32 int64 uint32 uint64",
    "bfloat16 float16 float32 float64 int32 int64 uint32 uint64",
    "int64",
    "bool",
    "bfloat16 bool float16 float32 float64 int16 int32 int64 int8 uint16 uint32 uint64 uint8",
    "bfloat16 bool complex128 complex64 float16 float32 float64 int16 int32 int64 int8 uint16 uint32 uint64 uint8",
    "uint16 uint32 uint64 uint8",
    "int16 int32 int64 int8 uint16 uint32 uint64 uint8",
    "int32 int64",
    "bool float16 float32 float64 int16 int32 int64 int8 uint16 uint32 uint64 uint8",
    "bool float16 float32 float64 int16 int32 int64 int8 string uint16 uint32 uint64 uint8",
    "bfloat16 bool float16 float32 float64 int16 int32 int64 int8 string uint16 uint32 uint64 uint8",
    "bfloat16 float16 float32",
    "float32",
    "bfloat16 bool complex128 complex64 float16 float32 float64 int16 int32 int64 int8 string uint16 uint32 uint64 uint8",
    "bool complex128 complex64 float16 float32 float64 int16 int32 int64 int8 string uint16 uint32 uint64 uint8",
    "",
    "int8 uint8",
    "int32",
    "float32 float64 int32 int64 uint32 uint64",
    "int32 int8 uint8",
    "int16 int32 int8 uint16 uint8",
    "uint8",
    "bool int32 int64",
    "float32 float64",
    "bfloat16 float32",
    "float16 float32 float64 int8 uint8",
    "bfloat16 float16 float32 float64 int8 uint8",
    "float16 float32 float64 int16 int32 int64 int8",
    "bfloat16 float16 float32 float64 int16 int32 int64 int8",
    "float16 float32 float64 int32 int64",
    "bfloat16 float16 float32 float64 int32 int64",
    "float32 int32",
    "bfloat16 float16 float32 int32",
    "int16 int8 uint16 uint8",
    "float32 float64 int16 int32 int64",
    "bfloat16 float16 float32 float64 int16 int32 int64",
    "float16 float32 float64 int32 int64 int8 uint32 uint64 uint8",
    "bfloat16 float16 float32 float64 int32 int64 int8 uint32 uint64 uint8",
    "bfloat16 bool float16 float32 float64 int32 int64 int8 uint32 uint64 uint8",
    "string",
    "int32 int64 string",
    "bool float16 float32 float64 int32 int64",
  ],
  ops: {
    Abs: [
      "1|1-1>1-1|X:T|Y:T|consumed_inputs:I|T=0",
      "6|1-1>1-1|X:T|Y:T||T=1",
      "13|1-1>1-1|X:T|Y:T||T=2"
    ],
    Acos: [
      "7|1-1>1-1|input:T|output:T||T=0",
      "22|1-1>1-1|input:T|output:T||T=3"
    ],
    Acosh: [
      "9|1-1>1-1|input:T|output:T||T=0",
      "22|1-1>1-1|input:T|output:T||T=3"
    ],
    Add: [
      "1|2-2>1-1|A:T,B:T|C:T|axis:i,broadcast:i,consumed_inputs:I|T=0",
      "6|2-2>1-1|A:T,B:T|C:T|axis:i,broadcast:i|T=4",
      "7|2-2>1-1|A:T,B:T|C:T||T=4",
      "13|2-2>1-1|A:T,B:T|C:T||T=5",
      "14|2-2>1-1|A:T,B:T|C:T||T=2"
    ],
    AffineGrid: ["20|2-2>1-1|theta:T1,size:T2|grid:T1|align_corners:i|T1=3,T2=6"],
    And: [
      "1|2-2>1-1|A:T,B:T|C:T1|axis:i,broadcast:i|T=7,T1=7",
      "7|2-2>1-1|A:T,B:T|C:T1||T=7,T1=7"
    ],
    ArgMax: [
      "1|1-1>1-1|data:T|reduced:6|axis:i,keepdims:i|T=1",
      "11|1-1>1-1|data:T|reduced:6|axis:i,keepdims:i|T=1",
      "12|1-1>1-1|data:T|reduced:6|axis:i,keepdims:i,select_last_index:i|T=1",
      "13|1-1>1-1|data:T|reduced:6|axis:i,keepdims:i,select_last_index:i|T=2"
    ],
    ArgMin: [
      "1|1-1>1-1|data:T|reduced:6|axis:i,keepdims:i|T=1",
      "11|1-1>1-1|data:T|reduced:6|axis:i,keepdims:i|T=1",
      "12|1-1>1-1|data:T|reduced:6|axis:i,keepdims:i,select_last_index:i|T=1",
      "13|1-1>1-1|data:T|reduced:6|axis:i,keepdims:i,select_last_index:i|T=2"
    ],
    Asin: [
      "7|1-1>1-1|input:T|output:T||T=0",
      "22|1-1>1-1|input:T|output:T||T=3"
    ],
    Asinh: [
      "9|1-1>1-1|input:T|output:T||T=0",
      "22|1-1>1-1|input:T|output:T||T=3"
    ],
    Atan: [
      "7|1-1>1-1|input:T|output:T||T=0",
      "22|1-1>1-1|input:T|output:T||T=3"
    ],
    Atanh: [
      "9|1-1>1-1|input:T|output:T||T=0",
      "22|1-1>1-1|input:T|output:T||T=3"
    ],
    Attention: [
      "23|3-6>1-4|Q:T1,K:T1,V:T2,attn_mask:U?,past_key:T1?,past_value:T2?|Y:T1,present_key:T1?,present_value:T2?,qk_matmul_output:T1?|is_causal:i,kv_num_heads:i,q_num_heads:i,qk_matmul_output_mode:i,scale:f,softcap:f,softmax_precision:i|T1=3,T2=3,U=8",
      "24|3-7>1-4|Q:T1,K:T1,V:T2,attn_mask:U?,past_key:T1?,past_value:T2?,nonpad_kv_seqlen:6?|Y:T1,present_key:T1?,present_value:T2?,qk_matmul_output:T1?|is_causal:i,kv_num_heads:i,q_num_heads:i,qk_matmul_output_mode:i,scale:f,softcap:f,softmax_precision:i|T1=3,T2=3,U=8",
      "25|3-7>1-4|Q:T1,K:T1,V:T2,attn_mask:U?,past_key:T1?,past_value:T2?,nonpad_kv_seqlen:6?|Y:T1,present_key:T1?,present_value:T2?,qk_matmul_output:T1?|is_causal:i,kv_num_heads:i,left_window_size:i,q_num_heads:i,qk_matmul_output_mode:i,right_window_size:i,scale:f,softcap:f,softmax_precision:i|T1=3,T2=3,U=8"
    ],
    AveragePool: [
      "1|1-1>1-1|X:T|Y:T|auto_pad:s,kernel_shape:I!,pads:I,strides:I|T=0",
      "7|1-1>1-1|X:T|Y:T|auto_pad:s,count_include_pad:i,kernel_shape:I!,pads:I,strides:I|T=0",
      "10|1-1>1-1|X:T|Y:T|auto_pad:s,ceil_mode:i,count_include_pad:i,kernel_shape:I!,pads:I,strides:I|T=0",
      "11|1-1>1-1|X:T|Y:T|auto_pad:s,ceil_mode:i,count_include_pad:i,kernel_shape:I!,pads:I,strides:I|T=0",
      "19|1-1>1-1|X:T|Y:T|auto_pad:s,ceil_mode:i,count_include_pad:i,dilations:I,kernel_shape:I!,pads:I,strides:I|T=0",
      "22|1-1>1-1|X:T|Y:T|auto_pad:s,ceil_mode:i,count_include_pad:i,dilations:I,kernel_shape:I!,pads:I,strides:I|T=3"
    ],
    BatchNormalization: [
      "1|5-5>1-5|X:T,scale:T,B:T,mean:T,var:T|Y:T,mean:T?,var:T?,saved_mean:T?,saved_var:T?|consumed_inputs:I!,epsilon:f,is_test:i,momentum:f,spatial:i|T=0",
      "6|5-5>1-5|X:T,scale:T,B:T,mean:T,var:T|Y:T,mean:T?,var:T?,saved_mean:T?,saved_var:T?|epsilon:f,is_test:i,momentum:f,spatial:i|T=0",
      "7|5-5>1-5|X:T,scale:T,B:T,mean:T,var:T|Y:T,mean:T?,var:T?,saved_mean:T?,saved_var:T?|epsilon:f,momentum:f,spatial:i|T=0",
      "9|5-5>1-5|X:T,scale:T,B:T,mean:T,var:T|Y:T,mean:T?,var:T?,saved_mean:T?,saved_var:T?|epsilon:f,momentum:f|T=0",
      "14|5-5>1-3|X:T,scale:T,B:T,input_mean:U,input_var:U|Y:T,running_mean:U?,running_var:U?|epsilon:f,momentum:f,training_mode:i|T=3,U=3",
      "15|5-5>1-3|X:T,scale:T1,B:T1,input_mean:T2,input_var:T2|Y:T,running_mean:T2?,running_var:T2?|epsilon:f,momentum:f,training_mode:i|T=3,T1=3,T2=3"
    ],
    Bernoulli: [
      "15|1-1>1-1|input:T1|output:T2|dtype:i,seed:f|T1=0,T2=8",
      "22|1-1>1-1|input:T1|output:T2|dtype:i,seed:f|T1=3,T2=8"
    ],
    BitCast: ["26|1-1>1-1|input:T1|output:T2|to:i!|T1=9,T2=9"],
    BitShift: [
      "11|2-2>1-1|X:T,Y:T|Z:T|direction:s!|T=10",
      "28|2-2>1-1|X:T,Y:T|Z:T|direction:s!|T=11"
    ],
    BitwiseAnd: ["18|2-2>1-1|A:T,B:T|C:T||T=11"],
    BitwiseNot: ["18|1-1>1-1|X:T|Y:T||T=11"],
    BitwiseOr: ["18|2-2>1-1|A:T,B:T|C:T||T=11"],
    BitwiseXor: ["18|2-2>1-1|A:T,B:T|C:T||T=11"],
    BlackmanWindow: ["17|1-1>1-1|size:T1|output:T2|output_datatype:i,periodic:i|T1=12,T2=2"],
    Cast: [
      "1|1-1>1-1|input:T1|output:T2|to:s!|T1=13,T2=13",
      "6|1-1>1-1|input:T1|output:T2|to:i!|T1=13,T2=13",
      "9|1-1>1-1|input:T1|output:T2|to:i!|T1=14,T2=14",
      "13|1-1>1-1|input:T1|output:T2|to:i!|T1=15,T2=15",
      "19|1-1>1-1|input:T1|output:T2|saturate:i,to:i!|T1=15,T2=15",
      "21|1-1>1-1|input:T1|output:T2|saturate:i,to:i!|T1=15,T2=15",
      "23|1-1>1-1|input:T1|output:T2|saturate:i,to:i!|T1=15,T2=15",
      "24|1-1>1-1|input:T1|output:T2|round_mode:s,saturate:i,to:i!|T1=15,T2=15",
      "25|1-1>1-1|input:T1|output:T2|round_mode:s,saturate:i,to:i!|T1=15,T2=15",
      "28|1-1>1-1|input:T1|output:T2|round_mode:s,saturate:i,to:i!|T1=15,T2=15"
    ],
    CastLike: [
      "15|2-2>1-1|input:T1,target_type:T2|output:T2||T1=15,T2=15",
      "19|2-2>1-1|input:T1,target_type:T2|output:T2|saturate:i|T1=15,T2=15",
      "21|2-2>1-1|input:T1,target_type:T2|output:T2|saturate:i|T1=15,T2=15",
      "23|2-2>1-1|input:T1,target_type:T2|output:T2|saturate:i|T1=15,T2=15",
      "24|2-2>1-1|input:T1,target_type:T2|output:T2|round_mode:s,saturate:i|T1=15,T2=15",
      "25|2-2>1-1|input:T1,target_type:T2|output:T2|round_mode:s,saturate:i|T1=15,T2=15"
    ],
    CausalConvWithState: ["27|2-4>2-2|input:T,weight:T,bias:T?,past_state:T?|output:T,present_state:T|activation:s|T=16"],
    Ceil: [
      "1|1-1>1-1|X:T|Y:T|consumed_inputs:I|T=0",
      "6|1-1>1-1|X:T|Y:T||T=0",
      "13|1-1>1-1|X:T|Y:T||T=3"
    ],
    Celu: [
      "12|1-1>1-1|X:T|Y:T|alpha:f|T=17",
      "28|1-1>1-1|X:T|Y:T|alpha:f|T=3"
    ],
    CenterCropPad: ["18|2-2>1-1|input_data:T,shape:Tind|output_data:T|axes:I|T=18,Tind=12"],
    Clip: [
      "1|1-1>1-1|input:T|output:T|consumed_inputs:I,max:f,min:f|T=0",
      "6|1-1>1-1|input:T|output:T|max:f,min:f|T=0",
      "11|1-3>1-1|input:T,min:T?,max:T?|output:T||T=0",
      "12|1-3>1-1|input:T,min:T?,max:T?|output:T||T=1",
      "13|1-3>1-1|input:T,min:T?,max:T?|output:T||T=2"
    ],
    Col2Im: ["18|3-3>1-1|input:T,image_shape:6,block_shape:6|output:T|dilations:I,pads:I,strides:I|T=18"],
    Compress: [
      "9|2-2>1-1|input:T,condition:T1|output:T|axis:i|T=19,T1=7",
      "11|2-2>1-1|input:T,condition:T1|output:T|axis:i|T=19,T1=7",
      "28|2-2>1-1|input:T,condition:T1|output:T|axis:i|T=18,T1=7"
    ],
    Concat: [
      "1|1->1-1|inputs:T*|concat_result:T|axis:i|T=0",
      "4|1->1-1|inputs:T*|concat_result:T|axis:i!|T=19",
      "11|1->1-1|inputs:T*|concat_result:T|axis:i!|T=19",
      "13|1->1-1|inputs:T*|concat_result:T|axis:i!|T=18"
    ],
    ConcatFromSequence: ["11|1-1>1-1|input_sequence:S|concat_result:T|axis:i!,new_axis:i|S=20,T=19"],
    Constant: [
      "1|0-0>1-1||output:T|value:t!|T=0",
      "9|0-0>1-1||output:T|value:t!|T=19",
      "11|0-0>1-1||output:T|sparse_value:x,value:t|T=19",
      "12|0-0>1-1||output:T|sparse_value:x,value:t,value_float:f,value_floats:F,value_int:i,value_ints:I,value_string:s,value_strings:S|T=19",
      "13|0-0>1-1||output:T|sparse_value:x,value:t,value_float:f,value_floats:F,value_int:i,value_ints:I,value_string:s,value_strings:S|T=18",
      "19|0-0>1-1||output:T|sparse_value:x,value:t,value_float:f,value_floats:F,value_int:i,value_ints:I,value_string:s,value_strings:S|T=18",
      "21|0-0>1-1||output:T|sparse_value:x,value:t,value_float:f,value_floats:F,value_int:i,value_ints:I,value_string:s,value_strings:S|T=18",
      "23|0-0>1-1||output:T|sparse_value:x,value:t,value_float:f,value_floats:F,value_int:i,value_ints:I,value_string:s,value_strings:S|T=18",
      "24|0-0>1-1||output:T|sparse_value:x,value:t,value_float:f,value_floats:F,value_int:i,value_ints:I,value_string:s,value_strings:S|T=18",
      "25|0-0>1-1||output:T|sparse_value:x,value:t,value_float:f,value_floats:F,value_int:i,value_ints:I,value_string:s,value_strings:S|T=18"
    ],
    ConstantOfShape: [
      "9|1-1>1-1|input:T1|output:T2|value:t|T1=6,T2=13",
      "20|1-1>1-1|input:T1|output:T2|value:t|T1=6,T2=8",
      "21|1-1>1-1|input:T1|output:T2|value:t|T1=6,T2=8",
      "23|1-1>1-1|input:T1|output:T2|value:t|T1=6,T2=8",
      "24|1-1>1-1|input:T1|output:T2|value:t|T1=6,T2=8",
      "25|1-1>1-1|input:T1|output:T2|value:t|T1=6,T2=8"
    ],
    Conv: [
      "1|2-3>1-1|X:T,W:T,B:T?|Y:T|auto_pad:s,dilations:I,group:i,kernel_shape:I,pads:I,strides:I|T=0",
      "11|2-3>1-1|X:T,W:T,B:T?|Y:T|auto_pad:s,dilations:I,group:i,kernel_shape:I,pads:I,strides:I|T=0",
      "22|2-3>1-1|X:T,W:T,B:T?|Y:T|auto_pad:s,dilations:I,group:i,kernel_shape:I,pads:I,strides:I|T=3"
    ],
    ConvInteger: ["10|2-4>1-1|x:T1,w:T2,x_zero_point:T1?,w_zero_point:T2?|y:T3|auto_pad:s,dilations:I,group:i,kernel_shape:I,pads:I,strides:I|T1=21,T2=21,T3=22"],
    ConvTranspose: [
      "1|2-3>1-1|X:T,W:T,B:T?|Y:T|auto_pad:s,dilations:I,group:i,kernel_shape:I,output_padding:I,output_shape:I,pads:I,strides:I|T=0",
      "11|2-3>1-1|X:T,W:T,B:T?|Y:T|auto_pad:s,dilations:I,group:i,kernel_shape:I,output_padding:I,output_shape:I,pads:I,strides:I|T=0",
      "22|2-3>1-1|X:T,W:T,B:T?|Y:T|auto_pad:s,dilations:I,group:i,kernel_shape:I,output_padding:I,output_shape:I,pads:I,strides:I|T=3"
    ],
    Cos: [
      "7|1-1>1-1|input:T|output:T||T=0",
      "22|1-1>1-1|input:T|output:T||T=3"
    ],
    Cosh: [
      "9|1-1>1-1|input:T|output:T||T=0",
      "22|1-1>1-1|input:T|output:T||T=3"
    ],
    CumProd: ["26|2-2>1-1|x:T,axis:T2|y:T|exclusive:i,reverse:i|T=5,T2=12"],
    CumSum: [
      "11|2-2>1-1|x:T,axis:T2|y:T|exclusive:i,reverse:i|T=23,T2=12",
      "14|2-2>1-1|x:T,axis:T2|y:T|exclusive:i,reverse:i|T=5,T2=12"
    ],
    DFT: [
      "17|1-2>1-1|input:T1,dft_length:T2?|output:T1|axis:i,inverse:i,onesided:i|T1=3,T2=12",
      "20|1-3>1-1|input:T1,dft_length:T2?,axis:6?|output:T1|inverse:i,onesided:i|T1=3,T2=12"
    ],
    DeformConv: [
      "19|3-5>1-1|X:T,W:T,offset:T,B:T?,mask:T?|Y:T|dilations:I,group:i,kernel_shape:I,offset_group:i,pads:I,strides:I|T=0",
      "22|3-5>1-1|X:T,W:T,offset:T,B:T?,mask:T?|Y:T|dilations:I,group:i,kernel_shape:I,offset_group:i,pads:I,strides:I|T=3"
    ],
    DepthToSpace: [
      "1|1-1>1-1|input:T|output:T|blocksize:i!|T=19",
      "11|1-1>1-1|input:T|output:T|blocksize:i!,mode:s|T=19",
      "13|1-1>1-1|input:T|output:T|blocksize:i!,mode:s|T=18",
      "28|1-1>1-1|input:T|output:T|blocksize:i!,mode:s|T=18"
    ],
    DequantizeLinear: [
      "10|2-3>1-1|x:T,x_scale:17,x_zero_point:T?|y:17||T=24",
      "13|2-3>1-1|x:T,x_scale:17,x_zero_point:T?|y:17|axis:i|T=24",
      "19|2-3>1-1|x:T1,x_scale:T2,x_zero_point:T1?|y:T2|axis:i|T1=24,T2=16",
      "21|2-3>1-1|x:T1,x_scale:T2,x_zero_point:T1?|y:T2|axis:i,block_size:i|T1=25,T2=16",
      "23|2-3>1-1|x:T1,x_scale:T2,x_zero_point:T1?|y:T3|axis:i,block_size:i,output_dtype:i|T1=25,T2=16,T3=16",
      "24|2-3>1-1|x:T1,x_scale:T2,x_zero_point:T1?|y:T3|axis:i,block_size:i,output_dtype:i|T1=25,T2=16,T3=16",
      "25|2-3>1-1|x:T1,x_scale:T2,x_zero_point:T1?|y:T3|axis:i,block_size:i,output_dtype:i|T1=25,T2=16,T3=16",
      "28|2-3>1-1|x:T1,x_scale:T2,x_zero_point:T1?|y:T3|axis:i,block_size:i,output_dtype:i|T1=25,T2=16,T3=16"
    ],
    Det: [
      "11|1-1>1-1|X:T|Y:T||T=0",
      "22|1-1>1-1|X:T|Y:T||T=3"
    ],
    Div: [
      "1|2-2>1-1|A:T,B:T|C:T|axis:i,broadcast:i,consumed_inputs:I|T=0",
      "6|2-2>1-1|A:T,B:T|C:T|axis:i,broadcast:i|T=4",
      "7|2-2>1-1|A:T,B:T|C:T||T=4",
      "13|2-2>1-1|A:T,B:T|C:T||T=5",
      "14|2-2>1-1|A:T,B:T|C:T||T=2"
    ],
    Dropout: [
      "1|1-1>1-2|data:T|output:T,mask:T?|consumed_inputs:I,is_test:i,ratio:f|T=0",
      "6|1-1>1-2|data:T|output:T,mask:T?|is_test:i,ratio:f|T=0",
      "7|1-1>1-2|data:T|output:T,mask:T?|ratio:f|T=0",
      "10|1-1>1-2|data:T|output:T,mask:T1?|ratio:f|T=0,T1=7",
      "12|1-3>1-2|data:T,ratio:T1?,training_mode:T2?|output:T,mask:T2?|seed:i|T=0,T1=0,T2=7",
      "13|1-3>1-2|data:T,ratio:T1?,training_mode:T2?|output:T,mask:T2?|seed:i|T=3,T1=0,T2=7",
      "22|1-3>1-2|data:T,ratio:T1?,training_mode:T2?|output:T,mask:T2?|seed:i|T=3,T1=3,T2=7"
    ],
    DynamicQuantizeLinear: ["11|1-1>3-3|x:T1|y:T2,y_scale:17,y_zero_point:T2||T1=17,T2=26"],
    Einsum: [
      "12|1->1-1|Inputs:T*|Output:T|equation:s!|T=1",
      "28|1->1-1|Inputs:T*|Output:T|equation:s!|T=2"
    ],
    Elu: [
      "1|1-1>1-1|X:T|Y:T|alpha:f,consumed_inputs:I|T=0",
      "6|1-1>1-1|X:T|Y:T|alpha:f|T=0",
      "22|1-1>1-1|X:T|Y:T|alpha:f|T=3"
    ],
    Equal: [
      "1|2-2>1-1|A:T,B:T|C:T1|axis:i,broadcast:i|T=27,T1=7",
      "7|2-2>1-1|A:T,B:T|C:T1||T=27,T1=7",
      "11|2-2>1-1|A:T,B:T|C:T1||T=13,T1=7",
      "13|2-2>1-1|A:T,B:T|C:T1||T=8,T1=7",
      "19|2-2>1-1|A:T,B:T|C:T1||T=15,T1=7"
    ],
    Erf: [
      "9|1-1>1-1|input:T|output:T||T=1",
      "13|1-1>1-1|input:T|output:T||T=3"
    ],
    Exp: [
      "1|1-1>1-1|input:T|output:T|consumed_inputs:I|T=0",
      "6|1-1>1-1|input:T|output:T||T=0",
      "13|1-1>1-1|input:T|output:T||T=3"
    ],
    Expand: [
      "8|2-2>1-1|input:T,shape:6|output:T||T=19",
      "13|2-2>1-1|input:T,shape:6|output:T||T=18"
    ],
    EyeLike: [
      "9|1-1>1-1|input:T1|output:T2|dtype:i,k:i|T1=13,T2=13",
      "22|1-1>1-1|input:T1|output:T2|dtype:i,k:i|T1=8,T2=8"
    ],
    Flatten: [
      "1|1-1>1-1|input:T|output:T|axis:i|T=0",
      "9|1-1>1-1|input:T|output:T|axis:i|T=19",
      "11|1-1>1-1|input:T|output:T|axis:i|T=19",
      "13|1-1>1-1|input:T|output:T|axis:i|T=18",
      "21|1-1>1-1|input:T|output:T|axis:i|T=18",
      "23|1-1>1-1|input:T|output:T|axis:i|T=18",
      "24|1-1>1-1|input:T|output:T|axis:i|T=18",
      "25|1-1>1-1|input:T|output:T|axis:i|T=18"
    ],
    Floor: [
      "1|1-1>1-1|X:T|Y:T|consumed_inputs:I|T=0",
      "6|1-1>1-1|X:T|Y:T||T=0",
      "13|1-1>1-1|X:T|Y:T||T=3"
    ],
    GRU: [
      "1|3-6>2-2|X:T,W:T,R:T,B:T?,sequence_lens:T1?,initial_h:T?|Y:T?,Y_h:T|activation_alpha:F,activation_beta:F,activations:S,clip:f,direction:s,hidden_size:i,output_sequence:i|T=0,T1=22",
      "3|3-6>0-2|X:T,W:T,R:T,B:T?,sequence_lens:T1?,initial_h:T?|Y:T?,Y_h:T?|activation_alpha:F,activation_beta:F,activations:S,clip:f,direction:s,hidden_size:i,linear_before_reset:i,output_sequence:i|T=0,T1=22",
      "7|3-6>0-2|X:T,W:T,R:T,B:T?,sequence_lens:T1?,initial_h:T?|Y:T?,Y_h:T?|activation_alpha:F,activation_beta:F,activations:S,clip:f,direction:s,hidden_size:i,linear_before_reset:i|T=0,T1=22",
      "14|3-6>0-2|X:T,W:T,R:T,B:T?,sequence_lens:T1?,initial_h:T?|Y:T?,Y_h:T?|activation_alpha:F,activation_beta:F,activations:S,clip:f,direction:s,hidden_size:i,layout:i,linear_before_reset:i|T=0,T1=22",
      "22|3-6>0-2|X:T,W:T,R:T,B:T?,sequence_lens:T1?,initial_h:T?|Y:T?,Y_h:T?|activation_alpha:F,activation_beta:F,activations:S,clip:f,direction:s,hidden_size:i,layout:i,linear_before_reset:i|T=3,T1=22"
    ],
    Gather: [
      "1|2-2>1-1|data:T,indices:Tind|output:T|axis:i|T=19,Tind=12",
      "11|2-2>1-1|data:T,indices:Tind|output:T|axis:i|T=19,Tind=12",
      "13|2-2>1-1|data:T,indices:Tind|output:T|axis:i|T=18,Tind=12"
    ],
    GatherElements: [
      "11|2-2>1-1|data:T,indices:Tind|output:T|axis:i|T=19,Tind=12",
      "13|2-2>1-1|data:T,indices:Tind|output:T|axis:i|T=18,Tind=12"
    ],
    GatherND: [
      "11|2-2>1-1|data:T,indices:6|output:T||T=19",
      "12|2-2>1-1|data:T,indices:6|output:T|batch_dims:i|T=19",
      "13|2-2>1-1|data:T,indices:6|output:T|batch_dims:i|T=18"
    ],
    Gelu: ["20|1-1>1-1|X:T|Y:T|approximate:s|T=3"],
    Gemm: [
      "1|3-3>1-1|A:T,B:T,C:T|Y:T|alpha:f,beta:f,broadcast:i,transA:i,transB:i|T=0",
      "6|3-3>1-1|A:T,B:T,C:T|Y:T|alpha:f,beta:f,broadcast:i,transA:i,transB:i|T=0",
      "7|3-3>1-1|A:T,B:T,C:T|Y:T|alpha:f,beta:f,transA:i,transB:i|T=0",
      "9|3-3>1-1|A:T,B:T,C:T|Y:T|alpha:f,beta:f,transA:i,transB:i|T=4",
      "11|2-3>1-1|A:T,B:T,C:T?|Y:T|alpha:f,beta:f,transA:i,transB:i|T=4",
      "13|2-3>1-1|A:T,B:T,C:T?|Y:T|alpha:f,beta:f,transA:i,transB:i|T=5"
    ],
    GlobalAveragePool: [
      "1|1-1>1-1|X:T|Y:T||T=0",
      "22|1-1>1-1|X:T|Y:T||T=3"
    ],
    GlobalLpPool: [
      "1|1-1>1-1|X:T|Y:T|p:f|T=0",
      "2|1-1>1-1|X:T|Y:T|p:i|T=0",
      "22|1-1>1-1|X:T|Y:T|p:i|T=3"
    ],
    GlobalMaxPool: [
      "1|1-1>1-1|X:T|Y:T||T=0",
      "22|1-1>1-1|X:T|Y:T||T=3"
    ],
    Greater: [
      "1|2-2>1-1|A:T,B:T|C:T1|axis:i,broadcast:i|T=0,T1=7",
      "7|2-2>1-1|A:T,B:T|C:T1||T=0,T1=7",
      "9|2-2>1-1|A:T,B:T|C:T1||T=1,T1=7",
      "13|2-2>1-1|A:T,B:T|C:T1||T=2,T1=7"
    ],
    GreaterOrEqual: [
      "12|2-2>1-1|A:T,B:T|C:T1||T=1,T1=7",
      "16|2-2>1-1|A:T,B:T|C:T1||T=2,T1=7"
    ],
    GridSample: [
      "16|2-2>1-1|X:T1,grid:T2|Y:T1|align_corners:i,mode:s,padding_mode:s|T1=19,T2=0",
      "20|2-2>1-1|X:T1,grid:T2|Y:T1|align_corners:i,mode:s,padding_mode:s|T1=19,T2=0",
      "22|2-2>1-1|X:T1,grid:T2|Y:T1|align_corners:i,mode:s,padding_mode:s|T1=18,T2=3"
    ],
    GroupNormalization: [
      "18x|3-3>1-1|X:T,scale:T,bias:T|Y:T|epsilon:f,num_groups:i!|T=3",
      "21|3-3>1-1|X:T,scale:T,bias:T|Y:T|epsilon:f,num_groups:i!,stash_type:i|T=3"
    ],
    HammingWindow: ["17|1-1>1-1|size:T1|output:T2|output_datatype:i,periodic:i|T1=12,T2=2"],
    HannWindow: ["17|1-1>1-1|size:T1|output:T2|output_datatype:i,periodic:i|T1=12,T2=2"],
    HardSigmoid: [
      "1|1-1>1-1|X:T|Y:T|alpha:f,beta:f,consumed_inputs:I|T=0",
      "6|1-1>1-1|X:T|Y:T|alpha:f,beta:f|T=0",
      "22|1-1>1-1|X:T|Y:T|alpha:f,beta:f|T=3"
    ],
    HardSwish: [
      "14|1-1>1-1|X:T|Y:T||T=0",
      "22|1-1>1-1|X:T|Y:T||T=3"
    ],
    Hardmax: [
      "1|1-1>1-1|input:T|output:T|axis:i|T=0",
      "11|1-1>1-1|input:T|output:T|axis:i|T=0",
      "13|1-1>1-1|input:T|output:T|axis:i|T=3"
    ],
    Identity: [
      "1|1-1>1-1|input:T|output:T||T=19",
      "13|1-1>1-1|input:T|output:T||T=18",
      "14|1-1>1-1|input:V|output:V||V=18",
      "16|1-1>1-1|input:V|output:V||V=18",
      "19|1-1>1-1|input:V|output:V||V=18",
      "21|1-1>1-1|input:V|output:V||V=18",
      "23|1-1>1-1|input:V|output:V||V=18",
      "24|1-1>1-1|input:V|output:V||V=18",
      "25|1-1>1-1|input:V|output:V||V=18"
    ],
    If: [
      "1|1-1>1-|cond:B|outputs:V**|else_branch:g!,then_branch:g!|V=19,B=7",
      "11|1-1>1-|cond:B|outputs:V**|else_branch:g!,then_branch:g!|V=19,B=7",
      "13|1-1>1-|cond:B|outputs:V**|else_branch:g!,then_branch:g!|V=19,B=7",
      "16|1-1>1-|cond:B|outputs:V**|else_branch:g!,then_branch:g!|V=18,B=7",
      "19|1-1>1-|cond:B|outputs:V**|else_branch:g!,then_branch:g!|V=18,B=7",
      "21|1-1>1-|cond:B|outputs:V**|else_branch:g!,then_branch:g!|V=18,B=7",
      "23|1-1>1-|cond:B|outputs:V**|else_branch:g!,then_branch:g!|V=18,B=7",
      "24|1-1>1-|cond:B|outputs:V**|else_branch:g!,then_branch:g!|V=18,B=7",
      "25|1-1>1-|cond:B|outputs:V**|else_branch:g!,then_branch:g!|V=18,B=7"
    ],
    ImageDecoder: ["20|1-1>1-1|encoded_stream:T1|image:T2|pixel_format:s|T1=26,T2=26"],
    InstanceNormalization: [
      "1|3-3>1-1|input:T,scale:T,B:T|output:T|consumed_inputs:I,epsilon:f|T=0",
      "6|3-3>1-1|input:T,scale:T,B:T|output:T|epsilon:f|T=0",
      "22|3-3>1-1|input:T,scale:T,B:T|output:T|epsilon:f|T=3"
    ],
    IsInf: [
      "10|1-1>1-1|X:T1|Y:T2|detect_negative:i,detect_positive:i|T1=28,T2=7",
      "20|1-1>1-1|X:T1|Y:T2|detect_negative:i,detect_positive:i|T1=3,T2=7"
    ],
    IsNaN: [
      "9|1-1>1-1|X:T1|Y:T2||T1=0,T2=7",
      "13|1-1>1-1|X:T1|Y:T2||T1=3,T2=7",
      "20|1-1>1-1|X:T1|Y:T2||T1=3,T2=7"
    ],
    LRN: [
      "1|1-1>1-1|X:T|Y:T|alpha:f,beta:f,bias:f,size:i!|T=0",
      "13|1-1>1-1|X:T|Y:T|alpha:f,beta:f,bias:f,size:i!|T=3"
    ],
    LSTM: [
      "1|3-8>0-3|X:T,W:T,R:T,B:T?,sequence_lens:T1?,initial_h:T?,initial_c:T?,P:T?|Y:T?,Y_h:T?,Y_c:T?|activation_alpha:F,activation_beta:F,activations:S,clip:f,direction:s,hidden_size:i,input_forget:i,output_sequence:i|T=0,T1=22",
      "7|3-8>0-3|X:T,W:T,R:T,B:T?,sequence_lens:T1?,initial_h:T?,initial_c:T?,P:T?|Y:T?,Y_h:T?,Y_c:T?|activation_alpha:F,activation_beta:F,activations:S,clip:f,direction:s,hidden_size:i,input_forget:i|T=0,T1=22",
      "14|3-8>0-3|X:T,W:T,R:T,B:T?,sequence_lens:T1?,initial_h:T?,initial_c:T?,P:T?|Y:T?,Y_h:T?,Y_c:T?|activation_alpha:F,activation_beta:F,activations:S,clip:f,direction:s,hidden_size:i,input_forget:i,layout:i|T=0,T1=22",
      "22|3-8>0-3|X:T,W:T,R:T,B:T?,sequence_lens:T1?,initial_h:T?,initial_c:T?,P:T?|Y:T?,Y_h:T?,Y_c:T?|activation_alpha:F,activation_beta:F,activations:S,clip:f,direction:s,hidden_size:i,input_forget:i,layout:i|T=3,T1=22"
    ],
    LayerNormalization: ["17|2-3>1-3|X:T,Scale:T,B:T?|Y:T,Mean:U?,InvStdDev:U?|axis:i,epsilon:f,stash_type:i|T=3,U=29"],
    LeakyRelu: [
      "1|1-1>1-1|X:T|Y:T|alpha:f,consumed_inputs:I|T=0",
      "6|1-1>1-1|X:T|Y:T|alpha:f|T=0",
      "16|1-1>1-1|X:T|Y:T|alpha:f|T=3"
    ],
    Less: [
      "1|2-2>1-1|A:T,B:T|C:T1|axis:i,broadcast:i|T=0,T1=7",
      "7|2-2>1-1|A:T,B:T|C:T1||T=0,T1=7",
      "9|2-2>1-1|A:T,B:T|C:T1||T=1,T1=7",
      "13|2-2>1-1|A:T,B:T|C:T1||T=2,T1=7"
    ],
    LessOrEqual: [
      "12|2-2>1-1|A:T,B:T|C:T1||T=1,T1=7",
      "16|2-2>1-1|A:T,B:T|C:T1||T=2,T1=7"
    ],
    LinearAttention: ["27|3-6>2-2|query:T,key:T,value:T,past_state:S?,decay:T?,beta:T?|output:T,present_state:S|chunk_size:i,kv_num_heads:i!,q_num_heads:i!,scale:f,update_rule:s|T=16,S=16"],
    Log: [
      "1|1-1>1-1|input:T|output:T|consumed_inputs:I|T=0",
      "6|1-1>1-1|input:T|output:T||T=0",
      "13|1-1>1-1|input:T|output:T||T=3"
    ],
    LogSoftmax: [
      "1|1-1>1-1|input:T|output:T|axis:i|T=0",
      "11|1-1>1-1|input:T|output:T|axis:i|T=0",
      "13|1-1>1-1|input:T|output:T|axis:i|T=3"
    ],
    Loop: [
      "1|3->1-|M:I?,cond:B?,v_initial:V**|v_final_and_scan_outputs:V**|body:g!|V=19,I=6,B=7",
      "11|2->1-|M:I?,cond:B?,v_initial:V**|v_final_and_scan_outputs:V**|body:g!|V=19,I=6,B=7",
      "13|2->1-|M:I?,cond:B?,v_initial:V**|v_final_and_scan_outputs:V**|body:g!|V=19,I=6,B=7",
      "16|2->1-|M:I?,cond:B?,v_initial:V**|v_final_and_scan_outputs:V**|body:g!|V=18,I=6,B=7",
      "19|2->1-|M:I?,cond:B?,v_initial:V**|v_final_and_scan_outputs:V**|body:g!|V=18,I=6,B=7",
      "21|2->1-|M:I?,cond:B?,v_initial:V**|v_final_and_scan_outputs:V**|body:g!|V=18,I=6,B=7",
      "23|2->1-|M:I?,cond:B?,v_initial:V**|v_final_and_scan_outputs:V**|body:g!|V=18,I=6,B=7",
      "24|2->1-|M:I?,cond:B?,v_initial:V**|v_final_and_scan_outputs:V**|body:g!|V=18,I=6,B=7",
      "25|2->1-|M:I?,cond:B?,v_initial:V**|v_final_and_scan_outputs:V**|body:g!|V=18,I=6,B=7"
    ],
    LpNormalization: [
      "1|1-1>1-1|input:T|output:T|axis:i,p:i|T=0",
      "22|1-1>1-1|input:T|output:T|axis:i,p:i|T=3"
    ],
    LpPool: [
      "1|1-1>1-1|X:T|Y:T|auto_pad:s,kernel_shape:I,p:f,pads:I,strides:I|T=0",
      "2|1-1>1-1|X:T|Y:T|auto_pad:s,kernel_shape:I!,p:i,pads:I,strides:I|T=0",
      "11|1-1>1-1|X:T|Y:T|auto_pad:s,kernel_shape:I!,p:i,pads:I,strides:I|T=0",
      "18|1-1>1-1|X:T|Y:T|auto_pad:s,ceil_mode:i,dilations:I,kernel_shape:I!,p:i,pads:I,strides:I|T=0",
      "22|1-1>1-1|X:T|Y:T|auto_pad:s,ceil_mode:i,dilations:I,kernel_shape:I!,p:i,pads:I,strides:I|T=3"
    ],
    MatMul: [
      "1|2-2>1-1|A:T,B:T|Y:T||T=0",
      "9|2-2>1-1|A:T,B:T|Y:T||T=4",
      "13|2-2>1-1|A:T,B:T|Y:T||T=5"
    ],
    MatMulInteger: ["10|2-4>1-1|A:T1,B:T2,a_zero_point:T1?,b_zero_point:T2?|Y:T3||T1=21,T2=21,T3=22"],
    Max: [
      "1|1->1-1|data_0:T*|max:T|consumed_inputs:I|T=0",
      "6|1->1-1|data_0:T*|max:T||T=0",
      "8|1->1-1|data_0:T*|max:T||T=0",
      "12|1->1-1|data_0:T*|max:T||T=1",
      "13|1->1-1|data_0:T*|max:T||T=2"
    ],
    MaxPool: [
      "1|1-1>1-1|X:T|Y:T|auto_pad:s,kernel_shape:I!,pads:I,strides:I|T=0",
      "8|1-1>1-2|X:T|Y:T,Indices:I?|auto_pad:s,kernel_shape:I!,pads:I,storage_order:i,strides:I|T=0,I=6",
      "10|1-1>1-2|X:T|Y:T,Indices:I?|auto_pad:s,ceil_mode:i,dilations:I,kernel_shape:I!,pads:I,storage_order:i,strides:I|T=0,I=6",
      "11|1-1>1-2|X:T|Y:T,Indices:I?|auto_pad:s,ceil_mode:i,dilations:I,kernel_shape:I!,pads:I,storage_order:i,strides:I|T=0,I=6",
      "12|1-1>1-2|X:T|Y:T,Indices:I?|auto_pad:s,ceil_mode:i,dilations:I,kernel_shape:I!,pads:I,storage_order:i,strides:I|T=30,I=6",
      "22|1-1>1-2|X:T|Y:T,Indices:I?|auto_pad:s,ceil_mode:i,dilations:I,kernel_shape:I!,pads:I,storage_order:i,strides:I|T=31,I=6"
    ],
    MaxRoiPool: [
      "1|2-2>1-1|X:T,rois:T|Y:T|pooled_shape:I!,spatial_scale:f|T=0",
      "22|2-2>1-1|X:T,rois:T|Y:T|pooled_shape:I!,spatial_scale:f|T=3"
    ],
    MaxUnpool: [
      "9|2-3>1-1|X:T1,I:T2,output_shape:T2?|output:T1|kernel_shape:I!,pads:I,strides:I|T1=0,T2=6",
      "11|2-3>1-1|X:T1,I:T2,output_shape:T2?|output:T1|kernel_shape:I!,pads:I,strides:I|T1=0,T2=6",
      "22|2-3>1-1|X:T1,I:T2,output_shape:T2?|output:T1|kernel_shape:I!,pads:I,strides:I|T1=3,T2=6"
    ],
    Mean: [
      "1|1->1-1|data_0:T*|mean:T|consumed_inputs:I|T=0",
      "6|1->1-1|data_0:T*|mean:T||T=0",
      "8|1->1-1|data_0:T*|mean:T||T=0",
      "13|1->1-1|data_0:T*|mean:T||T=3"
    ],
    MeanVarianceNormalization: [
      "9|1-1>1-1|X:T|Y:T|axes:I|T=0",
      "13|1-1>1-1|X:T|Y:T|axes:I|T=3"
    ],
    MelWeightMatrix: ["17|5-5>1-1|num_mel_bins:T1,dft_length:T1,sample_rate:T1,lower_edge_hertz:T2,upper_edge_hertz:T2|output:T3|output_datatype:i|T1=12,T2=3,T3=2"],
    Min: [
      "1|1->1-1|data_0:T*|min:T|consumed_inputs:I|T=0",
      "6|1->1-1|data_0:T*|min:T||T=0",
      "8|1->1-1|data_0:T*|min:T||T=0",
      "12|1->1-1|data_0:T*|min:T||T=1",
      "13|1->1-1|data_0:T*|min:T||T=2"
    ],
    Mish: [
      "18|1-1>1-1|X:T|Y:T||T=0",
      "22|1-1>1-1|X:T|Y:T||T=3"
    ],
    Mod: [
      "10|2-2>1-1|A:T,B:T|C:T|fmod:i|T=1",
      "13|2-2>1-1|A:T,B:T|C:T|fmod:i|T=2",
      "28|2-2>1-1|A:T,B:T|C:T|fmod:i|T=2"
    ],
    Mul: [
      "1|2-2>1-1|A:T,B:T|C:T|axis:i,broadcast:i,consumed_inputs:I|T=0",
      "6|2-2>1-1|A:T,B:T|C:T|axis:i,broadcast:i|T=4",
      "7|2-2>1-1|A:T,B:T|C:T||T=4",
      "13|2-2>1-1|A:T,B:T|C:T||T=5",
      "14|2-2>1-1|A:T,B:T|C:T||T=2"
    ],
    Multinomial: [
      "7|1-1>1-1|input:T1|output:T2|dtype:i,sample_size:i,seed:f|T1=0,T2=12",
      "22|1-1>1-1|input:T1|output:T2|dtype:i,sample_size:i,seed:f|T1=3,T2=12"
    ],
    Neg: [
      "1|1-1>1-1|X:T|Y:T|consumed_inputs:I|T=0",
      "6|1-1>1-1|X:T|Y:T||T=32",
      "13|1-1>1-1|X:T|Y:T||T=33"
    ],
    NegativeLogLikelihoodLoss: [
      "12|2-3>1-1|input:T,target:Tind,weight:T?|loss:T|ignore_index:i,reduction:s|T=0,Tind=12",
      "13|2-3>1-1|input:T,target:Tind,weight:T?|loss:T|ignore_index:i,reduction:s|T=0,Tind=12",
      "22|2-3>1-1|input:T,target:Tind,weight:T?|loss:T|ignore_index:i,reduction:s|T=3,Tind=12"
    ],
    NonMaxSuppression: [
      "10|2-5>1-1|boxes:17,scores:17,max_output_boxes_per_class:6?,iou_threshold:17?,score_threshold:17?|selected_indices:6|center_point_box:i|",
      "11|2-5>1-1|boxes:17,scores:17,max_output_boxes_per_class:6?,iou_threshold:17?,score_threshold:17?|selected_indices:6|center_point_box:i|"
    ],
    NonZero: [
      "9|1-1>1-1|X:T|Y:6||T=19",
      "13|1-1>1-1|X:T|Y:6||T=18"
    ],
    Not: ["1|1-1>1-1|X:T|Y:T||T=7"],
    OneHot: [
      "9|3-3>1-1|indices:T1,depth:T2,values:T3|output:T3|axis:i|T1=1,T2=1,T3=19",
      "11|3-3>1-1|indices:T1,depth:T2,values:T3|output:T3|axis:i|T1=1,T2=1,T3=19",
      "28|3-3>1-1|indices:T1,depth:T2,values:T3|output:T3|axis:i|T1=1,T2=1,T3=18"
    ],
    Optional: [
      "15|0-1>1-1|input:V?|output:O|type:p|V=19,O=20",
      "28|0-1>1-1|input:V?|output:O|type:p|V=18,O=20"
    ],
    OptionalGetElement: [
      "15|1-1>1-1|input:O|output:V||O=20,V=19",
      "18|1-1>1-1|input:O|output:V||O=19,V=19",
      "28|1-1>1-1|input:O|output:V||O=18,V=18"
    ],
    OptionalHasElement: [
      "15|1-1>1-1|input:O|output:B||O=20,B=7",
      "18|0-1>1-1|input:O?|output:B||O=19,B=7",
      "28|0-1>1-1|input:O?|output:B||O=18,B=7"
    ],
    Or: [
      "1|2-2>1-1|A:T,B:T|C:T1|axis:i,broadcast:i|T=7,T1=7",
      "7|2-2>1-1|A:T,B:T|C:T1||T=7,T1=7"
    ],
    PRelu: [
      "1|2-2>1-1|X:T,slope:T|Y:T|consumed_inputs:I|T=0",
      "6|2-2>1-1|X:T,slope:T|Y:T||T=0",
      "7|2-2>1-1|X:T,slope:T|Y:T||T=0",
      "9|2-2>1-1|X:T,slope:T|Y:T||T=4",
      "16|2-2>1-1|X:T,slope:T|Y:T||T=5"
    ],
    Pad: [
      "1|1-1>1-1|data:T|output:T|mode:s,paddings:I!,value:f|T=0",
      "2|1-1>1-1|data:T|output:T|mode:s,pads:I!,value:f|T=0",
      "11|2-3>1-1|data:T,pads:6,constant_value:T?|output:T|mode:s|T=1",
      "13|2-3>1-1|data:T,pads:6,constant_value:T?|output:T|mode:s|T=18",
      "18|2-4>1-1|data:T,pads:6,constant_value:T?,axes:Tind?|output:T|mode:s|T=18,Tind=12",
      "19|2-4>1-1|data:T,pads:6,constant_value:T?,axes:Tind?|output:T|mode:s|T=18,Tind=12",
      "21|2-4>1-1|data:T,pads:6,constant_value:T?,axes:Tind?|output:T|mode:s|T=18,Tind=12",
      "23|2-4>1-1|data:T,pads:6,constant_value:T?,axes:Tind?|output:T|mode:s|T=18,Tind=12",
      "24|2-4>1-1|data:T,pads:6,constant_value:T?,axes:Tind?|output:T|mode:s|T=18,Tind=12",
      "25|2-4>1-1|data:T,pads:6,constant_value:T?,axes:Tind?|output:T|mode:s|T=18,Tind=12"
    ],
    Pow: [
      "1|2-2>1-1|X:T,Y:T|Z:T|axis:i,broadcast:i|T=0",
      "7|2-2>1-1|X:T,Y:T|Z:T||T=0",
      "12|2-2>1-1|X:T,Y:T1|Z:T||T=34,T1=1",
      "13|2-2>1-1|X:T,Y:T1|Z:T||T=35,T1=1",
      "15|2-2>1-1|X:T,Y:T1|Z:T||T=35,T1=2"
    ],
    QLinearConv: ["10|8-9>1-1|x:T1,x_scale:17,x_zero_point:T1,w:T2,w_scale:17,w_zero_point:T2,y_scale:17,y_zero_point:T3,B:T4?|y:T3|auto_pad:s,dilations:I,group:i,kernel_shape:I,pads:I,strides:I|T1=21,T2=21,T3=21,T4=22"],
    QLinearMatMul: [
      "10|8-8>1-1|a:T1,a_scale:17,a_zero_point:T1,b:T2,b_scale:17,b_zero_point:T2,y_scale:17,y_zero_point:T3|y:T3||T1=21,T2=21,T3=21",
      "21|8-8>1-1|a:T1,a_scale:TS,a_zero_point:T1,b:T2,b_scale:TS,b_zero_point:T2,y_scale:TS,y_zero_point:T3|y:T3||TS=16,T1=21,T2=21,T3=21"
    ],
    QuantizeLinear: [
      "10|2-3>1-1|x:T1,y_scale:17,y_zero_point:T2?|y:T2||T1=36,T2=21",
      "13|2-3>1-1|x:T1,y_scale:17,y_zero_point:T2?|y:T2|axis:i|T1=36,T2=21",
      "19|2-3>1-1|x:T1,y_scale:T1,y_zero_point:T2?|y:T2|axis:i,saturate:i|T1=37,T2=21",
      "21|2-3>1-1|x:T1,y_scale:T1,y_zero_point:T2?|y:T2|axis:i,block_size:i,output_dtype:i,saturate:i|T1=37,T2=38",
      "23|2-3>1-1|x:T1,y_scale:T2,y_zero_point:T3?|y:T3|axis:i,block_size:i,output_dtype:i,precision:i,saturate:i|T1=37,T2=37,T3=38",
      "24|2-3>1-1|x:T1,y_scale:T2,y_zero_point:T3?|y:T3|axis:i,block_size:i,output_dtype:i,precision:i,saturate:i|T1=37,T2=37,T3=38",
      "25|2-3>1-1|x:T1,y_scale:T2,y_zero_point:T3?|y:T3|axis:i,block_size:i,output_dtype:i,precision:i,saturate:i|T1=37,T2=37,T3=38",
      "28|2-3>1-1|x:T1,y_scale:T2,y_zero_point:T3?|y:T3|axis:i,block_size:i,output_dtype:i,precision:i,saturate:i|T1=37,T2=37,T3=38"
    ],
    RMSNormalization: ["23|2-2>1-1|X:T,scale:V|Y:V|axis:i,epsilon:f,stash_type:i|T=3,V=3"],
    RNN: [
      "1|3-6>0-2|X:T,W:T,R:T,B:T?,sequence_lens:T1?,initial_h:T?|Y:T?,Y_h:T?|activation_alpha:F,activation_beta:F,activations:S,clip:f,direction:s,hidden_size:i,output_sequence:i|T=0,T1=22",
      "7|3-6>0-2|X:T,W:T,R:T,B:T?,sequence_lens:T1?,initial_h:T?|Y:T?,Y_h:T?|activation_alpha:F,activation_beta:F,activations:S,clip:f,direction:s,hidden_size:i|T=0,T1=22",
      "14|3-6>0-2|X:T,W:T,R:T,B:T?,sequence_lens:T1?,initial_h:T?|Y:T?,Y_h:T?|activation_alpha:F,activation_beta:F,activations:S,clip:f,direction:s,hidden_size:i,layout:i|T=0,T1=22",
      "22|3-6>0-2|X:T,W:T,R:T,B:T?,sequence_lens:T1?,initial_h:T?|Y:T?,Y_h:T?|activation_alpha:F,activation_beta:F,activations:S,clip:f,direction:s,hidden_size:i,layout:i|T=3,T1=22"
    ],
    RandomNormal: [
      "1|0-0>1-1||output:T|dtype:i,mean:f,scale:f,seed:f,shape:I!|T=0",
      "22|0-0>1-1||output:T|dtype:i,mean:f,scale:f,seed:f,shape:I!|T=3"
    ],
    RandomNormalLike: [
      "1|1-1>1-1|input:T1|output:T2|dtype:i,mean:f,scale:f,seed:f|T1=19,T2=0",
      "22|1-1>1-1|input:T1|output:T2|dtype:i,mean:f,scale:f,seed:f|T1=18,T2=3"
    ],
    RandomUniform: [
      "1|0-0>1-1||output:T|dtype:i,high:f,low:f,seed:f,shape:I!|T=0",
      "22|0-0>1-1||output:T|dtype:i,high:f,low:f,seed:f,shape:I!|T=3"
    ],
    RandomUniformLike: [
      "1|1-1>1-1|input:T1|output:T2|dtype:i,high:f,low:f,seed:f|T1=19,T2=0",
      "22|1-1>1-1|input:T1|output:T2|dtype:i,high:f,low:f,seed:f|T1=18,T2=3"
    ],
    Range: [
      "11|3-3>1-1|start:T,limit:T,delta:T|output:T||T=39",
      "27|3-3>1-1|start:T,limit:T,delta:T|output:T|stash_type:i|T=40"
    ],
    Reciprocal: [
      "1|1-1>1-1|X:T|Y:T|consumed_inputs:I|T=0",
      "6|1-1>1-1|X:T|Y:T||T=0",
      "13|1-1>1-1|X:T|Y:T||T=3"
    ],
    ReduceL1: [
      "1|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=4",
      "11|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=4",
      "13|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=5",
      "18|1-2>1-1|data:T,axes:6?|reduced:T|keepdims:i,noop_with_empty_axes:i|T=5"
    ],
    ReduceL2: [
      "1|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=4",
      "11|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=4",
      "13|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=5",
      "18|1-2>1-1|data:T,axes:6?|reduced:T|keepdims:i,noop_with_empty_axes:i|T=5"
    ],
    ReduceLogSum: [
      "1|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=4",
      "11|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=4",
      "13|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=5",
      "18|1-2>1-1|data:T,axes:6?|reduced:T|keepdims:i,noop_with_empty_axes:i|T=5",
      "28|1-2>1-1|data:T,axes:6?|reduced:T|keepdims:i,noop_with_empty_axes:i|T=3"
    ],
    ReduceLogSumExp: [
      "1|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=4",
      "11|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=4",
      "13|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=5",
      "18|1-2>1-1|data:T,axes:6?|reduced:T|keepdims:i,noop_with_empty_axes:i|T=5",
      "28|1-2>1-1|data:T,axes:6?|reduced:T|keepdims:i,noop_with_empty_axes:i|T=3"
    ],
    ReduceMax: [
      "1|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=4",
      "11|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=4",
      "12|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=41",
      "13|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=42",
      "18|1-2>1-1|data:T,axes:6?|reduced:T|keepdims:i,noop_with_empty_axes:i|T=42",
      "20|1-2>1-1|data:T,axes:6?|reduced:T|keepdims:i,noop_with_empty_axes:i|T=43"
    ],
    ReduceMean: [
      "1|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=4",
      "11|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=4",
      "13|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=5",
      "18|1-2>1-1|data:T,axes:6?|reduced:T|keepdims:i,noop_with_empty_axes:i|T=5"
    ],
    ReduceMin: [
      "1|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=4",
      "11|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=4",
      "12|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=41",
      "13|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=42",
      "18|1-2>1-1|data:T,axes:6?|reduced:T|keepdims:i,noop_with_empty_axes:i|T=42",
      "20|1-2>1-1|data:T,axes:6?|reduced:T|keepdims:i,noop_with_empty_axes:i|T=43"
    ],
    ReduceProd: [
      "1|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=4",
      "11|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=4",
      "13|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=5",
      "18|1-2>1-1|data:T,axes:6?|reduced:T|keepdims:i,noop_with_empty_axes:i|T=5"
    ],
    ReduceSum: [
      "1|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=4",
      "11|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=4",
      "13|1-2>1-1|data:T,axes:6?|reduced:T|keepdims:i,noop_with_empty_axes:i|T=5"
    ],
    ReduceSumSquare: [
      "1|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=4",
      "11|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=4",
      "13|1-1>1-1|data:T|reduced:T|axes:I,keepdims:i|T=5",
      "18|1-2>1-1|data:T,axes:6?|reduced:T|keepdims:i,noop_with_empty_axes:i|T=5"
    ],
    RegexFullMatch: ["20|1-1>1-1|X:T1|Y:T2|pattern:s|T1=44,T2=7"],
    Relu: [
      "1|1-1>1-1|X:T|Y:T|consumed_inputs:I|T=0",
      "6|1-1>1-1|X:T|Y:T||T=0",
      "13|1-1>1-1|X:T|Y:T||T=3",
      "14|1-1>1-1|X:T|Y:T||T=33"
    ],
    Reshape: [
      "1|1-1>1-1|data:T|reshaped:T|consumed_inputs:I,shape:I|T=0",
      "5|2-2>1-1|data:T,shape:6|reshaped:T||T=19",
      "13|2-2>1-1|data:T,shape:6|reshaped:T||T=18",
      "14|2-2>1-1|data:T,shape:6|reshaped:T|allowzero:i|T=18",
      "19|2-2>1-1|data:T,shape:6|reshaped:T|allowzero:i|T=18",
      "21|2-2>1-1|data:T,shape:6|reshaped:T|allowzero:i|T=18",
      "23|2-2>1-1|data:T,shape:6|reshaped:T|allowzero:i|T=18",
      "24|2-2>1-1|data:T,shape:6|reshaped:T|allowzero:i|T=18",
      "25|2-2>1-1|data:T,shape:6|reshaped:T|allowzero:i|T=18"
    ],
    Resize: [
      "10|2-2>1-1|X:T,scales:17|Y:T|mode:s|T=19",
      "11|3-4>1-1|X:T1,roi:T2,scales:17,sizes:6?|Y:T1|coordinate_transformation_mode:s,cubic_coeff_a:f,exclude_outside:i,extrapolation_value:f,mode:s,nearest_mode:s|T1=19,T2=0",
      "13|1-4>1-1|X:T1,roi:T2?,scales:17?,sizes:6?|Y:T1|coordinate_transformation_mode:s,cubic_coeff_a:f,exclude_outside:i,extrapolation_value:f,mode:s,nearest_mode:s|T1=18,T2=0",
      "18|1-4>1-1|X:T1,roi:T2?,scales:17?,sizes:6?|Y:T1|antialias:i,axes:I,coordinate_transformation_mode:s,cubic_coeff_a:f,exclude_outside:i,extrapolation_value:f,keep_aspect_ratio_policy:s,mode:s,nearest_mode:s|T1=18,T2=0",
      "19|1-4>1-1|X:T1,roi:T2?,scales:17?,sizes:6?|Y:T1|antialias:i,axes:I,coordinate_transformation_mode:s,cubic_coeff_a:f,exclude_outside:i,extrapolation_value:f,keep_aspect_ratio_policy:s,mode:s,nearest_mode:s|T1=18,T2=0"
    ],
    ReverseSequence: [
      "10|2-2>1-1|input:T,sequence_lens:6|Y:T|batch_axis:i,time_axis:i|T=19",
      "28|2-2>1-1|input:T,sequence_lens:6|Y:T|batch_axis:i,time_axis:i|T=18"
    ],
    RoiAlign: [
      "10|3-3>1-1|X:T1,rois:T1,batch_indices:T2|Y:T1|mode:s,output_height:i,output_width:i,sampling_ratio:i,spatial_scale:f|T1=0,T2=6",
      "16|3-3>1-1|X:T1,rois:T1,batch_indices:T2|Y:T1|coordinate_transformation_mode:s,mode:s,output_height:i,output_width:i,sampling_ratio:i,spatial_scale:f|T1=0,T2=6",
      "22|3-3>1-1|X:T1,rois:T1,batch_indices:T2|Y:T1|coordinate_transformation_mode:s,mode:s,output_height:i,output_width:i,sampling_ratio:i,spatial_scale:f|T1=3,T2=6"
    ],
    RotaryEmbedding: ["23|3-4>1-1|X:T,cos_cache:T,sin_cache:T,position_ids:M?|Y:T|interleaved:i,num_heads:i,rotary_embedding_dim:i|T=16,M=6"],
    Round: [
      "11|1-1>1-1|X:T|Y:T||T=0",
      "22|1-1>1-1|X:T|Y:T||T=3"
    ],
    STFT: ["17|2-4>1-1|signal:T1,frame_step:T2,window:T1?,frame_length:T2?|output:T1|onesided:i|T1=3,T2=12"],
    Scan: [
      "8|2->1-|sequence_lens:I?,initial_state_and_scan_inputs:V**|final_state_and_scan_outputs:V**|body:g!,directions:I,num_scan_inputs:i!|I=6,V=19",
      "9|1->1-|initial_state_and_scan_inputs:V**|final_state_and_scan_outputs:V**|body:g!,num_scan_inputs:i!,scan_input_axes:I,scan_input_directions:I,scan_output_axes:I,scan_output_directions:I|V=19",
      "11|1->1-|initial_state_and_scan_inputs:V**|final_state_and_scan_outputs:V**|body:g!,num_scan_inputs:i!,scan_input_axes:I,scan_input_directions:I,scan_output_axes:I,scan_output_directions:I|V=19",
      "16|1->1-|initial_state_and_scan_inputs:V**|final_state_and_scan_outputs:V**|body:g!,num_scan_inputs:i!,scan_input_axes:I,scan_input_directions:I,scan_output_axes:I,scan_output_directions:I|V=18",
      "19|1->1-|initial_state_and_scan_inputs:V**|final_state_and_scan_outputs:V**|body:g!,num_scan_inputs:i!,scan_input_axes:I,scan_input_directions:I,scan_output_axes:I,scan_output_directions:I|V=18",
      "21|1->1-|initial_state_and_scan_inputs:V**|final_state_and_scan_outputs:V**|body:g!,num_scan_inputs:i!,scan_input_axes:I,scan_input_directions:I,scan_output_axes:I,scan_output_directions:I|V=18",
      "23|1->1-|initial_state_and_scan_inputs:V**|final_state_and_scan_outputs:V**|body:g!,num_scan_inputs:i!,scan_input_axes:I,scan_input_directions:I,scan_output_axes:I,scan_output_directions:I|V=18",
      "24|1->1-|initial_state_and_scan_inputs:V**|final_state_and_scan_outputs:V**|body:g!,num_scan_inputs:i!,scan_input_axes:I,scan_input_directions:I,scan_output_axes:I,scan_output_directions:I|V=18",
      "25|1->1-|initial_state_and_scan_inputs:V**|final_state_and_scan_outputs:V**|body:g!,num_scan_inputs:i!,scan_input_axes:I,scan_input_directions:I,scan_output_axes:I,scan_output_directions:I|V=18"
    ],
    Scatter: [
      "9|3-3>1-1|data:T,indices:Tind,updates:T|output:T|axis:i|T=19,Tind=12",
      "11x|3-3>1-1|data:T,indices:Tind,updates:T|output:T|axis:i|T=19,Tind=12"
    ],
    ScatterElements: [
      "11|3-3>1-1|data:T,indices:Tind,updates:T|output:T|axis:i|T=19,Tind=12",
      "13|3-3>1-1|data:T,indices:Tind,updates:T|output:T|axis:i|T=18,Tind=12",
      "16|3-3>1-1|data:T,indices:Tind,updates:T|output:T|axis:i,reduction:s|T=18,Tind=12",
      "18|3-3>1-1|data:T,indices:Tind,updates:T|output:T|axis:i,reduction:s|T=18,Tind=12"
    ],
    ScatterND: [
      "11|3-3>1-1|data:T,indices:6,updates:T|output:T||T=19",
      "13|3-3>1-1|data:T,indices:6,updates:T|output:T||T=18",
      "16|3-3>1-1|data:T,indices:6,updates:T|output:T|reduction:s|T=18",
      "18|3-3>1-1|data:T,indices:6,updates:T|output:T|reduction:s|T=18"
    ],
    Selu: [
      "1|1-1>1-1|X:T|Y:T|alpha:f,consumed_inputs:I,gamma:f|T=0",
      "6|1-1>1-1|X:T|Y:T|alpha:f,gamma:f|T=0",
      "22|1-1>1-1|X:T|Y:T|alpha:f,gamma:f|T=3"
    ],
    SequenceAt: ["11|2-2>1-1|input_sequence:S,position:I|tensor:T||S=20,T=19,I=12"],
    SequenceConstruct: ["11|1->1-1|inputs:T*|output_sequence:S||T=19,S=20"],
    SequenceEmpty: ["11|0-0>1-1||output:S|dtype:i|S=20"],
    SequenceErase: ["11|1-2>1-1|input_sequence:S,position:I?|output_sequence:S||S=20,I=12"],
    SequenceInsert: ["11|2-3>1-1|input_sequence:S,tensor:T,position:I?|output_sequence:S||T=19,S=20,I=12"],
    SequenceLength: ["11|1-1>1-1|input_sequence:S|length:I||S=20,I=6"],
    SequenceMap: ["17|1->1-|input_sequence:S,additional_inputs:V**|out_sequence:S**|body:g!|S=20,V=19"],
    Shape: [
      "1|1-1>1-1|data:T|shape:T1||T=19,T1=6",
      "13|1-1>1-1|data:T|shape:T1||T=18,T1=6",
      "15|1-1>1-1|data:T|shape:T1|end:i,start:i|T=18,T1=6",
      "19|1-1>1-1|data:T|shape:T1|end:i,start:i|T=18,T1=6",
      "21|1-1>1-1|data:T|shape:T1|end:i,start:i|T=18,T1=6",
      "23|1-1>1-1|data:T|shape:T1|end:i,start:i|T=18,T1=6",
      "24|1-1>1-1|data:T|shape:T1|end:i,start:i|T=18,T1=6",
      "25|1-1>1-1|data:T|shape:T1|end:i,start:i|T=18,T1=6"
    ],
    Shrink: ["9|1-1>1-1|input:T|output:T|bias:f,lambd:f|T=1"],
    Sigmoid: [
      "1|1-1>1-1|X:T|Y:T|consumed_inputs:I|T=0",
      "6|1-1>1-1|X:T|Y:T||T=0",
      "13|1-1>1-1|X:T|Y:T||T=3"
    ],
    Sign: [
      "9|1-1>1-1|input:T|output:T||T=1",
      "13|1-1>1-1|input:T|output:T||T=2"
    ],
    Sin: [
      "7|1-1>1-1|input:T|output:T||T=0",
      "22|1-1>1-1|input:T|output:T||T=3"
    ],
    Sinh: [
      "9|1-1>1-1|input:T|output:T||T=0",
      "22|1-1>1-1|input:T|output:T||T=3"
    ],
    Size: [
      "1|1-1>1-1|data:T|size:T1||T=19,T1=6",
      "13|1-1>1-1|data:T|size:T1||T=18,T1=6",
      "19|1-1>1-1|data:T|size:T1||T=18,T1=6",
      "21|1-1>1-1|data:T|size:T1||T=18,T1=6",
      "23|1-1>1-1|data:T|size:T1||T=18,T1=6",
      "24|1-1>1-1|data:T|size:T1||T=18,T1=6",
      "25|1-1>1-1|data:T|size:T1||T=18,T1=6"
    ],
    Slice: [
      "1|1-1>1-1|data:T|output:T|axes:I,ends:I!,starts:I!|T=19",
      "10|3-5>1-1|data:T,starts:Tind,ends:Tind,axes:Tind?,steps:Tind?|output:T||T=19,Tind=12",
      "11|3-5>1-1|data:T,starts:Tind,ends:Tind,axes:Tind?,steps:Tind?|output:T||T=19,Tind=12",
      "13|3-5>1-1|data:T,starts:Tind,ends:Tind,axes:Tind?,steps:Tind?|output:T||T=18,Tind=12"
    ],
    Softmax: [
      "1|1-1>1-1|input:T|output:T|axis:i|T=0",
      "11|1-1>1-1|input:T|output:T|axis:i|T=0",
      "13|1-1>1-1|input:T|output:T|axis:i|T=3"
    ],
    SoftmaxCrossEntropyLoss: [
      "12|2-3>1-2|scores:T,labels:Tind,weights:T?|output:T,log_prob:T?|ignore_index:i,reduction:s|T=0,Tind=12",
      "13|2-3>1-2|scores:T,labels:Tind,weights:T?|output:T,log_prob:T?|ignore_index:i,reduction:s|T=3,Tind=12"
    ],
    Softplus: [
      "1|1-1>1-1|X:T|Y:T||T=0",
      "22|1-1>1-1|X:T|Y:T||T=3"
    ],
    Softsign: [
      "1|1-1>1-1|input:T|output:T||T=0",
      "22|1-1>1-1|input:T|output:T||T=3"
    ],
    SpaceToDepth: [
      "1|1-1>1-1|input:T|output:T|blocksize:i!|T=19",
      "13|1-1>1-1|input:T|output:T|blocksize:i!|T=18",
      "28|1-1>1-1|input:T|output:T|blocksize:i!,mode:s|T=18"
    ],
    Split: [
      "1|1-2>1-|input:T,split:T?|outputs...:T*|axis:i,split:I|T=0",
      "2|1-1>1-|input:T|outputs:T*|axis:i,split:I|T=19",
      "11|1-1>1-|input:T|outputs:T*|axis:i,split:I|T=19",
      "13|1-2>1-|input:T,split:6?|outputs:T*|axis:i|T=18",
      "18|1-2>1-|input:T,split:6?|outputs:T*|axis:i,num_outputs:i|T=18"
    ],
    SplitToSequence: [
      "11|1-2>1-1|input:T,split:I?|output_sequence:S|axis:i,keepdims:i|T=19,I=12,S=20",
      "24|1-2>1-1|input:T,split:I?|output_sequence:S|axis:i,keepdims:i|T=18,I=12,S=20"
    ],
    Sqrt: [
      "1|1-1>1-1|X:T|Y:T|consumed_inputs:I|T=0",
      "6|1-1>1-1|X:T|Y:T||T=0",
      "13|1-1>1-1|X:T|Y:T||T=3"
    ],
    Squeeze: [
      "1|1-1>1-1|data:T|squeezed:T|axes:I|T=19",
      "11|1-1>1-1|data:T|squeezed:T|axes:I|T=19",
      "13|1-2>1-1|data:T,axes:6?|squeezed:T||T=18",
      "21|1-2>1-1|data:T,axes:6?|squeezed:T||T=18",
      "23|1-2>1-1|data:T,axes:6?|squeezed:T||T=18",
      "24|1-2>1-1|data:T,axes:6?|squeezed:T||T=18",
      "25|1-2>1-1|data:T,axes:6?|squeezed:T||T=18"
    ],
    StringConcat: ["20|2-2>1-1|X:T,Y:T|Z:T||T=44"],
    StringNormalizer: ["10|1-1>1-1|X:44|Y:44|case_change_action:s,is_case_sensitive:i,locale:s,stopwords:S|"],
    StringSplit: ["20|1-1>2-2|X:T1|Y:T2,Z:T3|delimiter:s,maxsplit:i|T1=44,T2=44,T3=6"],
    Sub: [
      "1|2-2>1-1|A:T,B:T|C:T|axis:i,broadcast:i,consumed_inputs:I|T=0",
      "6|2-2>1-1|A:T,B:T|C:T|axis:i,broadcast:i|T=4",
      "7|2-2>1-1|A:T,B:T|C:T||T=4",
      "13|2-2>1-1|A:T,B:T|C:T||T=5",
      "14|2-2>1-1|A:T,B:T|C:T||T=2"
    ],
    Sum: [
      "1|1->1-1|data_0:T*|sum:T|consumed_inputs:I|T=0",
      "6|1->1-1|data_0:T*|sum:T||T=0",
      "8|1->1-1|data_0:T*|sum:T||T=0",
      "13|1->1-1|data_0:T*|sum:T||T=3"
    ],
    SwiGLU: ["28|2-2>1-1|A:T,B:T|Y:T|alpha:f|T=3"],
    Swish: ["24|1-1>1-1|X:T|Y:T|alpha:f|T=3"],
    Tan: [
      "7|1-1>1-1|input:T|output:T||T=0",
      "22|1-1>1-1|input:T|output:T||T=3"
    ],
    Tanh: [
      "1|1-1>1-1|input:T|output:T|consumed_inputs:I|T=0",
      "6|1-1>1-1|input:T|output:T||T=0",
      "13|1-1>1-1|input:T|output:T||T=3"
    ],
    TensorScatter: ["24|2-3>1-1|past_cache:T,update:T,write_indices:6?|present_cache:T|axis:i,mode:s|T=18"],
    TfIdfVectorizer: ["9|1-1>1-1|X:T|Y:T1|max_gram_length:i!,max_skip_count:i!,min_gram_length:i!,mode:s!,ngram_counts:I!,ngram_indexes:I!,pool_int64s:I,pool_strings:S,weights:F|T=45,T1=17"],
    ThresholdedRelu: [
      "10|1-1>1-1|X:T|Y:T|alpha:f|T=0",
      "22|1-1>1-1|X:T|Y:T|alpha:f|T=3"
    ],
    Tile: [
      "1|3-3>1-1|input:T,tiles:T,axis:T|output:T||T=0,T1=6",
      "6|2-2>1-1|input:T,repeats:T1|output:T||T=19,T1=6",
      "13|2-2>1-1|input:T,repeats:T1|output:T||T=18,T1=6"
    ],
    TopK: [
      "1|1-1>2-2|X:T|Values:T,Indices:I|axis:i,k:i!|T=0,I=6",
      "10|2-2>2-2|X:T,K:6|Values:T,Indices:I|axis:i|T=0,I=6",
      "11|2-2>2-2|X:T,K:6|Values:T,Indices:I|axis:i,largest:i,sorted:i|T=1,I=6",
      "24|2-2>2-2|X:T,K:6|Values:T,Indices:I|axis:i,largest:i,sorted:i|T=2,I=6"
    ],
    Transpose: [
      "1|1-1>1-1|data:T|transposed:T|perm:I|T=19",
      "13|1-1>1-1|data:T|transposed:T|perm:I|T=18",
      "21|1-1>1-1|data:T|transposed:T|perm:I|T=18",
      "23|1-1>1-1|data:T|transposed:T|perm:I|T=18",
      "24|1-1>1-1|data:T|transposed:T|perm:I|T=18",
      "25|1-1>1-1|data:T|transposed:T|perm:I|T=18"
    ],
    Trilu: ["14|1-2>1-1|input:T,k:6?|output:T|upper:i|T=18"],
    Unique: [
      "11|1-1>1-4|X:T|Y:T,indices:6?,inverse_indices:6?,counts:6?|axis:i,sorted:i|T=19",
      "28|1-1>1-4|X:T|Y:T,indices:6?,inverse_indices:6?,counts:6?|axis:i,sorted:i|T=18"
    ],
    Unsqueeze: [
      "1|1-1>1-1|data:T|expanded:T|axes:I!|T=19",
      "11|1-1>1-1|data:T|expanded:T|axes:I!|T=19",
      "13|2-2>1-1|data:T,axes:6|expanded:T||T=18",
      "21|2-2>1-1|data:T,axes:6|expanded:T||T=18",
      "23|2-2>1-1|data:T,axes:6|expanded:T||T=18",
      "24|2-2>1-1|data:T,axes:6|expanded:T||T=18",
      "25|2-2>1-1|data:T,axes:6|expanded:T||T=18"
    ],
    Upsample: [
      "1|1-1>1-1|X:T|Y:T|height_scale:f!,mode:s,width_scale:f!|T=46",
      "7|1-1>1-1|X:T|Y:T|mode:s,scales:F!|T=19",
      "9|2-2>1-1|X:T,scales:17|Y:T|mode:s|T=19",
      "10x|2-2>1-1|X:T,scales:17|Y:T|mode:s|T=19"
    ],
    Where: [
      "9|3-3>1-1|condition:B,X:T,Y:T|output:T||B=7,T=19",
      "16|3-3>1-1|condition:B,X:T,Y:T|output:T||B=7,T=18"
    ],
    Xor: [
      "1|2-2>1-1|A:T,B:T|C:T1|axis:i,broadcast:i|T=7,T1=7",
      "7|2-2>1-1|A:T,B:T|C:T1||T=7,T1=7"
    ],
  },
};

/** The newest operator set and IR version that the schemas cover. */
export const newestOpset = 28;
export const newestIr = 14;
