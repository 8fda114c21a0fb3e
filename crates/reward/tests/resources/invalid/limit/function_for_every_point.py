num_stages = 1

# Stage 1: follow the line
def stage1_guidance1(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 0] - keypoints[0])

def stage1_guidance2(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 1] - keypoints[1])

def stage1_guidance3(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 2] - keypoints[2])

def stage1_guidance4(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 3] - keypoints[0])

def stage1_guidance5(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 4] - keypoints[1])

def stage1_guidance6(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 5] - keypoints[2])

def stage1_guidance7(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 6] - keypoints[0])

def stage1_guidance8(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 7] - keypoints[1])

def stage1_guidance9(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 8] - keypoints[2])

def stage1_guidance10(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 9] - keypoints[0])

def stage1_guidance11(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 10] - keypoints[1])

def stage1_guidance12(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 11] - keypoints[2])

def stage1_guidance13(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 12] - keypoints[0])

def stage1_guidance14(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 13] - keypoints[1])

def stage1_guidance15(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 14] - keypoints[2])

def stage1_guidance16(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 0] - keypoints[0])

def stage1_guidance17(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 1] - keypoints[1])

def stage1_guidance18(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 2] - keypoints[2])

def stage1_guidance19(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 3] - keypoints[0])

def stage1_guidance20(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 4] - keypoints[1])

def stage1_guidance21(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 5] - keypoints[2])

def stage1_guidance22(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 6] - keypoints[0])

def stage1_guidance23(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 7] - keypoints[1])

def stage1_guidance24(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 8] - keypoints[2])

def stage1_guidance25(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 9] - keypoints[0])

def stage1_guidance26(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 10] - keypoints[1])

def stage1_guidance27(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 11] - keypoints[2])

def stage1_guidance28(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 12] - keypoints[0])

def stage1_guidance29(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 13] - keypoints[1])

def stage1_guidance30(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 14] - keypoints[2])

def stage1_guidance31(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 0] - keypoints[0])

def stage1_guidance32(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 1] - keypoints[1])

def stage1_guidance33(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 2] - keypoints[2])

def stage1_guidance34(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 3] - keypoints[0])

def stage1_guidance35(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 4] - keypoints[1])

def stage1_guidance36(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 5] - keypoints[2])

def stage1_guidance37(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 6] - keypoints[0])

def stage1_guidance38(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 7] - keypoints[1])

def stage1_guidance39(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 8] - keypoints[2])

def stage1_guidance40(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 9] - keypoints[0])

def stage1_guidance41(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 10] - keypoints[1])

def stage1_guidance42(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 11] - keypoints[2])

def stage1_guidance43(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 12] - keypoints[0])

def stage1_guidance44(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 13] - keypoints[1])

def stage1_guidance45(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 14] - keypoints[2])

def stage1_guidance46(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 0] - keypoints[0])

def stage1_guidance47(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 1] - keypoints[1])

def stage1_guidance48(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 2] - keypoints[2])

def stage1_guidance49(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 3] - keypoints[0])

def stage1_guidance50(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 4] - keypoints[1])

def stage1_guidance51(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 5] - keypoints[2])

def stage1_guidance52(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 6] - keypoints[0])

def stage1_guidance53(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 7] - keypoints[1])

def stage1_guidance54(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 8] - keypoints[2])

def stage1_guidance55(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 9] - keypoints[0])

def stage1_guidance56(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 10] - keypoints[1])

def stage1_guidance57(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 11] - keypoints[2])

def stage1_guidance58(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 12] - keypoints[0])

def stage1_guidance59(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 13] - keypoints[1])

def stage1_guidance60(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 14] - keypoints[2])

def stage1_guidance61(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 0] - keypoints[0])

def stage1_guidance62(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 1] - keypoints[1])

def stage1_guidance63(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 2] - keypoints[2])

def stage1_guidance64(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 3] - keypoints[0])

def stage1_guidance65(keypoints, action_sequence):
    return -torch.norm(action_sequence[0, 4] - keypoints[1])

